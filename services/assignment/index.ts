/** `tripline/assignment`: pure, deterministic, sticky. */
export {
  type Assignment,
  type AssignmentReason,
  type AssignmentTable,
  assign,
  createAssignmentTable,
  type Subject,
  unitOf,
  unknownAssignment,
} from './assign.ts';
export { armAt, fractionOf, type Purpose } from './bucketing.ts';
