import { objectOf } from '../kubernetes-object.ts';
import { isKustomizationFile } from '../kustomization-walk.ts';
import { describe } from '../objects-to-files.ts';
import { isMapping } from '../yaml.ts';
import { contentProblems, kustomizationOf, pluginProblems, referencedFiles, type Tree } from './kustomizations.ts';
import { plaintextSecrets } from './plaintext-secret.ts';
import {
  type CheckProblem,
  type CheckReport,
  checksOf,
  isYamlFile,
  problemText,
  readDocuments,
  type TreeDocument,
  type TreeFile,
} from './report.ts';

/** Judges a rendered tree, `<environment>/<file>.yaml`: pure, so that it can run where no third-party code does. */
export function checkRenderedTree(files: readonly TreeFile[]): CheckReport {
  const { documents, problems } = readTree(files, () => true);
  const { objects, problems: unidentified } = identify(documents.filter(({ file }) => !isKustomizationFile(file)));
  return {
    checks: checksOf('yaml-parses', 'object-identity', 'no-duplicate-objects', 'no-plaintext-secret', 'no-remote-base'),
    problems: [...problems, ...unidentified, ...duplicates(objects)],
    objects,
  };
}

/**
 * Judges a directory that is shipped as it is and built in the cluster. Files of any purpose may lie there, so nothing
 * is asked of their fields, and Helm templates need not be YAML.
 */
export function checkSourceTree(files: readonly TreeFile[]): CheckReport {
  const charts = files.map(({ path }) => path).filter((path) => /(?:^|\/)Chart\.yaml$/.test(path));
  const templates = charts.map((path) => `${path.slice(0, -'Chart.yaml'.length)}templates/`);
  const { documents, problems } = readTree(files, (path) => !templates.some((folder) => path.startsWith(folder)));
  return {
    checks: checksOf('yaml-parses', 'no-plaintext-secret', 'no-remote-base'),
    problems,
    objects: identify(documents).objects,
  };
}

/** All documents of the tree and what is wrong with their syntax, secrets and references. */
function readTree(
  files: readonly TreeFile[],
  mustParse: (path: string) => boolean,
): { documents: TreeDocument[]; problems: CheckProblem[] } {
  const tree: Tree = new Map(files.map((file) => [file.path, file]));
  const manifests = new Set(files.map((file) => file.path).filter(isYamlFile));
  const problems: CheckProblem[] = [];
  for (const file of files.filter(({ path }) => isKustomizationFile(path))) {
    const content = kustomizationOf(file);
    if ('check' in content) {
      // A YAML file's own pass reports it.
      problems.push(...(manifests.has(file.path) || !mustParse(file.path) ? [] : [content]));
    } else {
      problems.push(...contentProblems(tree, file.path, content));
      for (const path of referencedFiles(file.path, content)) {
        manifests.add(path);
      }
    }
  }
  const documents: TreeDocument[] = [];
  for (const file of files.filter(({ path }) => manifests.has(path))) {
    const read = readDocuments(file);
    documents.push(...read.documents);
    problems.push(...(mustParse(file.path) ? read.problems : []));
  }
  for (const { file, value } of documents) {
    problems.push(
      ...plaintextSecrets(value).map((message) => ({ check: 'no-plaintext-secret' as const, file, message })),
    );
    problems.push(...pluginProblems(tree, file, value));
  }
  return { documents, problems };
}

function identify(documents: readonly TreeDocument[]): Pick<CheckReport, 'objects' | 'problems'> {
  const objects: { file: string; object: CheckReport['objects'][number]['object'] }[] = [];
  const problems: CheckProblem[] = [];
  for (const { file, where, document, value } of documents) {
    try {
      objects.push({ file, object: objectOf(where, document, value) });
    } catch (error) {
      problems.push({ check: 'object-identity', file, message: problemText(error) });
    }
  }
  return { objects, problems };
}

/** An object is its group, kind, namespace and name; its environment is the first segment of the path. */
function duplicates(objects: CheckReport['objects']): CheckProblem[] {
  const first = new Map<string, string>();
  return objects.flatMap(({ file, object }): CheckProblem[] => {
    const { apiVersion, kind, namespace = '', name, value } = object;
    const isGenerated = isMapping(value['metadata']) && value['metadata']['name'] === undefined;
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    const identity = JSON.stringify([file.split('/')[0], group, kind, namespace, name]);
    const other = first.get(identity);
    if (other === undefined || isGenerated) {
      first.set(identity, file);
      return [];
    }
    return [{ check: 'no-duplicate-objects', file, message: `${describe(object)} is also in ${other}` }];
  });
}
