/** `tripline/control`: when an experiment is stopped, and what obeying means. Pure. */
export { applyDecision, planRevision } from './apply-decision.ts';
export { decide, type Judgement, killDecision } from './decide.ts';
export { type FileProblem, type ParsedFile, parseExperimentFile } from './experiment-file.ts';
export { experimentFileSchema } from './file-schema.ts';
export { ruleVersion, rules } from './rules.ts';
export { fromDecisionRecord, fromExperimentRecord, toDecisionRecord, toExperimentRecord } from './decision-record.ts';
