/** Who may import whom. Run: depcruise services infra schemas test --config infra/lint/boundaries.mjs */
// Stages and libraries: one folder a job.
const jobs = 'assignment|control|emitter|redaction|redactor|linker|joiner|sink|statistics|simulation|bot';
// Files that a reader can recognise as edges by name alone.
const doors = '/(main|index|config)\\.ts$|\\.(kafka|clickhouse)\\.ts$';
const never = (name, from, to) => ({ name, severity: 'error', from, to });
const oneHome = (npm, home) =>
  never(`${npm} has one home`, { path: '^services/', pathNot: home }, { path: `^node_modules/${npm}/` });

export default {
  forbidden: [
    never('no cycles', {}, { circular: true }),
    never(
      'kernel and schemas import nothing',
      { path: '^(services/kernel|schemas)/(.+)' },
      { path: '^(services|infra|schemas)/', pathNot: '^$1/' },
    ),
    never(
      'steps do not reach the edge',
      { path: `^services/(${jobs})/`, pathNot: doors },
      { path: '^services/(runtime|pipeline|cli|replay|demo)/' },
    ),
    never(
      'steps do no I/O',
      { path: `^services/(${jobs})/`, pathNot: doors },
      { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    ),
    // Pure libraries may be used by anyone: assignment, control, redaction, and statistics' evaluate by verify.
    // A stage's main.ts asks services/pipeline, which wires stages, to run that one stage.
    never(
      'jobs do not import each other',
      { path: `^services/(${jobs})/`, pathNot: '^services/simulation/|^services/[^/]+/main\\.ts$' },
      {
        path: `^services/(${jobs}|pipeline|cli|replay|demo)/`,
        pathNot: '^services/(assignment|control|redaction|$1)/',
      },
    ),
    // What is simulated is what runs: the simulation takes bets, weights and engines from statistics.
    never(
      'simulation knows statistics alone',
      { path: '^services/simulation/' },
      { path: `^services/(${jobs}|pipeline|cli|replay|demo)/`, pathNot: '^services/(statistics|simulation)/' },
    ),
    never(
      'what decides does not use what is only offered',
      { path: '^services/statistics/(math/)?[^/]+\\.ts$', pathNot: '^services/statistics/index\\.ts$' },
      { path: '^services/statistics/math/library/' },
    ),
    // Redaction is a pure library: what the edge logs, reports and parks passes through it.
    never(
      'runtime knows no domain',
      { path: '^services/runtime/' },
      { path: '^services/', pathNot: '^services/(kernel|runtime|redaction)/' },
    ),
    never(
      'a main asks the pipeline',
      { path: `^services/(${jobs})/main\\.ts$`, pathNot: '^services/simulation/' },
      { path: '^services/', pathNot: '^services/pipeline/run-stages\\.ts$' },
    ),
    never('pipeline knows no command', { path: '^services/pipeline/' }, { path: '^services/(cli|replay|demo)/' }),
    never('nobody imports a main', {}, { path: '^services/(?!cli/).*/main\\.ts$' }),
    never(
      'tests stay in test',
      { path: '^(services|infra|schemas)/' },
      { path: '^test/|^node_modules/(vitest|fast-check|testcontainers)/' },
    ),
    oneHome('kafkajs', '^services/runtime/'),
    oneHome('@clickhouse', '^services/runtime/'),
    oneHome('avsc', '^services/runtime/'),
    oneHome('@opentelemetry', '^services/runtime/'),
    oneHome('jstat', '^services/statistics/math/'),
    oneHome('fastify', '^services/runtime/'),
    oneHome(
      'zod',
      '/config\\.ts$|^services/(runtime|cli)/|^services/pipeline/list-settings\\.ts$|^services/control/(experiment-file|file-schema)\\.ts$',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
