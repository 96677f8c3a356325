// Loaded before every script: the suite is built and tested on the runtime that ships (`runs.using: node24`), nothing else.
const major = Number(process.versions.node.split('.')[0]);
if (major !== 24) {
  console.error(
    `This script needs Node 24 and runs on ${process.version} [WRONG_NODE].\n` +
      'On Linux x64 `npm ci` brings Node 24 along and `npm run …` uses it; elsewhere put Node 24 first on PATH.',
  );
  process.exit(1);
}
