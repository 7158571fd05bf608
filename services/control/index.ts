/** `tripline/control`: when an experiment is stopped, what obeying means, the fold that everybody agrees by. Pure. */
export { applyDecision, planRevision } from './apply-decision.ts';
export { type Application, type ControlRecord, experimentOf, idOf } from './control-record.ts';
export { type ControlView, decide, type Judgement } from './decide.ts';
export { personsDecision, type PersonsOrder, type Seen, whateverRuns } from './persons-decision.ts';
export { type FileProblem, type ParsedFile, parseExperimentFile } from './experiment-file.ts';
export { experimentFileSchema } from './file-schema.ts';
export {
  type ControlAnswer,
  type ControlTable,
  type ExperimentControl,
  foldControl,
  mergeCheckpoint,
} from './fold-control.ts';
export { ruleVersion, rules } from './rules.ts';
export {
  controlRecords,
  fromApplyRecord,
  fromCheckpoint,
  fromControlRecord,
  fromDecisionRecord,
  fromExperimentRecord,
  toApplyRecord,
  toDecisionRecord,
  toExperimentRecord,
} from './decision-record.ts';
