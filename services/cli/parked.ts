/**
 * `parked list`, `show`, `replay`: records that a stage could not use. What has been sent again is not sent a second
 * time, unless it was parked again and `--again` asks for it. How records are sent: replay-parked.ts.
 */
import { PipelineError } from '../kernel/pipeline-error.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { topicName } from '../runtime/topics.ts';
import { withConnection } from './read.ts';
import { type ParkedFilter, parkedEntries, replayParked, selectParked } from './replay-parked.ts';
import { print, printJson, table } from './terminal.ts';

const idsOf = (texts: readonly string[]): number[] =>
  texts.map((text) => {
    if (!/^\d{1,15}$/.test(text))
      throw new PipelineError('CONFIG_INVALID', `"${text}" is no id of a parked record`, {
        hint: '`npx tripline parked list` shows them',
      });
    return Number(text);
  });

export async function parkedList(home: string, filter: ParkedFilter, json: boolean): Promise<number> {
  return withConnection(home, async ({ log, prefix }) => {
    const entries = selectParked(parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))), filter);
    if (json) printJson(entries.map(({ source: _source, ...entry }) => entry));
    else if (entries.length === 0) print('nothing is parked');
    else
      print(
        table([
          ['id', 'stage', 'code', 'from', 'bytes', 'first seen', 'state', 'why'],
          ...entries.map((entry) => [
            String(entry.id),
            entry.stage,
            entry.code,
            `${entry.topic}/${entry.partition}@${entry.offset}`,
            String(entry.bytes),
            entry.firstSeen,
            entry.state,
            entry.message,
          ]),
        ]),
      );
    return 0;
  });
}

/** Headers, and with `bytes` the record as base64: it may hold what people wrote. */
export async function parkedShow(
  home: string,
  id: string,
  options: { readonly bytes: boolean; readonly json: boolean },
): Promise<number> {
  return withConnection(home, async ({ log, prefix }) => {
    const [entry] = selectParked(parkedEntries(await log.readToEnd(topicName(prefix, 'parked.v1'))), {
      ids: idsOf([id]),
    });
    if (entry === undefined)
      throw new PipelineError('CONFIG_INVALID', `no parked record ${id}`, {
        hint: '`npx tripline parked list` shows them',
      });
    const { source, ...shown } = entry;
    const all = {
      ...shown,
      headers: source.headers,
      ...(options.bytes && { base64: (source.value ?? Buffer.alloc(0)).toString('base64') }),
    };
    if (options.json) printJson(all);
    else
      print(
        table([
          ...Object.entries(shown).map(([name, value]) => [name, String(value)]),
          ...Object.entries(source.headers).map(([name, value]) => [name, value]),
          ...(options.bytes ? [['base64', (source.value ?? Buffer.alloc(0)).toString('base64')]] : []),
        ]),
      );
    return 0;
  });
}

export async function parkedReplay(
  home: string,
  ids: readonly string[],
  options: { readonly stage?: string; readonly code?: string; readonly all: boolean; readonly again: boolean },
): Promise<number> {
  if (ids.length === 0 && options.stage === undefined && options.code === undefined && !options.all && !options.again)
    throw new PipelineError('CONFIG_INVALID', 'parked replay of what?', {
      hint: 'name ids, --stage, --code, --all, or --again for what came back',
    });
  return withConnection(home, async ({ log, codec, prefix }) => {
    const producer = await log.producer();
    const filter: ParkedFilter = {
      ...(ids.length > 0 && { ids: idsOf(ids) }),
      ...(options.stage !== undefined && { stage: options.stage }),
      ...(options.code !== undefined && { code: options.code }),
      ...(options.again && { again: true }),
    };
    const { sent, before, nowhere } = await replayParked({ log, producer, codec, prefix }, filter, systemClock.now());
    const already = before > 0 ? `, ${before} were already (--again sends what came back)` : '';
    const left =
      nowhere.length > 0
        ? `, ${nowhere.length} still parked: topic or partition gone or divided, or too large to be parked whole`
        : '';
    print(`${sent} sent again${already}${left}`);
    return nowhere.length > 0 ? 1 : 0;
  });
}
