/** A thread of `npm run simulate`. */
import { serveJobs } from '../../services/simulation/index.ts';
import { runJob, type SimulationJob } from './jobs.ts';

serveJobs<SimulationJob, unknown>(runJob);
