/** A simulation thread: runs of experiment plans, one job at a time. */
import { serveJobs } from './index.ts';
import { createJobRunner, type ExperimentJob } from './jobs.ts';
import type { RunResult } from './run-state.ts';

serveJobs<ExperimentJob, RunResult[]>(createJobRunner());
