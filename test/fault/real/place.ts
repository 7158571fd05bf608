/** Where a deployment lives: topics and a database of its own, prepared, with the trial's experiment published. */
import { randomBytes } from 'node:crypto';
import { publishRevision } from '../../../services/bot/index.ts';
import { defaultSettings } from '../../../services/pipeline/config.ts';
import { type Addresses, type Connection, connect } from '../../../services/pipeline/connect.ts';
import { keepOf } from '../../../services/pipeline/keep-rows.ts';
import { prepare } from '../../../services/pipeline/prepare.ts';
import type { LogProducer } from '../../../services/runtime/log.ts';
import { systemClock } from '../../../services/runtime/system-clock.ts';
import { aRevision } from '../../support/build.ts';

export type Place = {
  readonly prefix: string;
  readonly database: string;
  readonly partitions: number;
  readonly connection: Connection;
  readonly producer: LogProducer;
};

export const revision = aRevision();

export async function createPlace(addresses: Addresses, partitions: number): Promise<Place> {
  const run = randomBytes(4).toString('hex');
  const [prefix, database] = [`fault-${run}`, `fault_${run}`];
  const connection = await connect({ ...addresses, database, clock: systemClock, clientId: prefix });
  const keepRows = keepOf(defaultSettings);
  await prepare({ ...addresses, prefix, partitions, eventTime: true, keepRows }, connection);
  const { log, codec } = connection;
  const producer = await log.producer();
  await publishRevision({ prefix, log, producer, codec }, revision);
  return { prefix, database, partitions, connection, producer };
}
