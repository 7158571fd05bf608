/**
 * The field's words instead of ours. A row: what was renamed, what it is called now, and where the old word stays, each
 * with its reason. `in` is a part of the path; `line` must match the line too. Read by `test/contract/words.test.ts`.
 */
type Exception = {
  /** Parts of a path, one of which must be in it. */
  readonly in?: readonly string[];
  /** The line must match. */
  readonly line?: RegExp;
  readonly why: string;
};
export type Renamed = {
  readonly was: RegExp;
  readonly is: string;
  /** Beginnings of paths; everywhere when it is not given. */
  readonly only?: readonly string[];
  readonly except: readonly Exception[];
};

const avro = (field: string): Exception => ({
  line: new RegExp(`["'\`]?\\b${field}\\b["'\`]?\\s*[:,?)}]|\\.${field}\\b|\`${field}\``),
  why: 'an Avro field or record keeps its name: stored records are read by it',
});
const statistics = ['services/statistics/', 'services/control/', 'services/simulation/', 'test/simulation/'];

export const renamed: readonly Renamed[] = [
  {
    was: /\bepochs?\b/i,
    is: 'generation (of the log), key version (of tokens), revision (of a ramp), rebalance',
    except: [
      { line: /EpochMs|epoch milliseconds|Unix epoch/i, why: 'the Unix epoch' },
      { in: ['context-words'], why: 'a word of texts to redact' },
      {
        line: /\bepochs\b/,
        in: ['statistics', 'test/golden/', 'test/unit/simulation/'],
        why: 'argument key of logEOfCounts and its like: a contract of tripline/statistics',
      },
      { in: ['infra/scripts/name-weights.ts'], why: 'a pass of training over the examples' },
      { line: /leader.?epoch/i, why: "Kafka's own term" },
    ],
  },
  { was: /\b(heirs?|eldest|homeless)\b/i, is: 'child, first child, unrouted units', except: [] },
  {
    was: /\b(PartitionFold|UnitFold|EntityFold|LinkFold|runFold|run-fold)\b/,
    is: 'PartitionState, UnitState, stateful stage',
    except: [],
  },
  { was: /\b(presence|residency|resident units?)\b/i, is: 'prefetch, cache', except: [] },
  { was: /\b(entry|report|difference) cells?\b/i, is: 'test aggregate, metric aggregate', except: [] },
  {
    was: /\bfingerprint(s|ed|Weight)?\b/i,
    is: 'configuration change',
    except: [
      { in: ['schemas/', 'infra/scripts/generate-schemas.mjs', 'writer-schemas'], why: 'SHA-256 of a schema' },
      { in: ['redaction', 'test/fuzz/'], why: 'fingerprints of keys and of people, in texts' },
    ],
  },
  {
    was: /\brestart(s|ed|ing)?\b/i,
    is: 'test start',
    only: [...statistics, 'test/unit/statistics/', 'test/unit/control/', 'test/unit/simulation/'],
    except: [
      { line: /restart_every/, why: 'a key of the experiment file' },
      avro('restart'),
      { line: /'restart\.|_restart\b/, why: 'a method or field of the vectors' },
      {
        line: /across restarts|[Rr]estart the stages|restarts? of (the|a) process|^\| restarted: test starts/,
        why: 'a process, or the table of letters',
      },
    ],
  },
  {
    was: /\b(survivors?|survivorship|SURVIVORS\w*|mirror test)\b/i,
    is: 'attrition check',
    except: [],
  },
  {
    was: /\bE[1-6]b?\b(?!\d)/,
    is: 'betting, first-event, asymptotic, sample-ratio, group-sequential, test starts',
    except: [
      { in: ['services/statistics/README.md'], line: /^\|/, why: 'the one table of letters' },
      { in: ['redaction', 'test/fuzz/', 'infra/scripts/name-'], why: 'codes, numbers and texts to redact' },
    ],
  },
  { was: /\b(anchors?|createScanner)\b/i, is: 'trigger literals', except: [] },
  { was: /\b(finders?|findStructured)\b/i, is: 'detector', except: [] },
  { was: /\b(tally|tallies|createTally)\b/i, is: 'counts', except: [] },
  { was: /\bculprits?\b/i, is: 'breaching metric', except: [] },
  {
    was: /\bbundles?\b/i,
    is: 'batch',
    except: [{ line: /\b(Unit|Entity)Bundle\b/, why: 'Avro record names' }],
  },
  {
    was: /\bhops?\b/i,
    is: 'cause position',
    except: [avro('hop'), { line: /^\s*hop = 0,/, why: 'the same Avro field, of a test record' }],
  },
  { was: /\bwhole[- ]paths?\b/i, is: 'pipeline', except: [] },
  { was: /\bcarried clocks?\b/i, is: 'event-time clock', except: [] },
  {
    was: /\b(untilItWorks|until-it-works|atMost|breathe)\b/,
    is: 'retryUntilAborted, withTimeout, yieldToEventLoop',
    except: [],
  },
  { was: /\bcure[sd]?\b/i, is: 'hint', except: [] },
  {
    was: /\blanes?\b/i,
    is: 'partition queue, parallel trial',
    except: [{ in: ['address-words'], why: 'a word of addresses' }],
  },
  {
    was: /\bslim\b|\bwide (rows?|records?|clean|events?|observations?)\b/i,
    is: 'internal record, analytics record',
    except: [{ line: /SlimExposure/, why: 'an Avro record name' }],
  },
  {
    was: /\bworlds?\b|World\b/,
    is: 'environment, deployment, scenario',
    only: ['test/fault/', 'test/simulation/'],
    except: [],
  },
  { was: /\bbeside\b/i, is: 'next to, with', except: [] },
  { was: /\bdoers?\b/i, is: 'stage, library', except: [] },
];

/** Not looked at. */
export const skipped: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^CHANGELOG\.md$/, why: 'history' },
  { path: /^sql\/migrations\//, why: 'applied files are never edited' },
  { path: /^test\/golden\/.*\.json$/, why: 'golden bytes' },
  { path: /^infra\/lint\/words\.ts$/, why: 'this list' },
  { path: /^(LICENSE|NOTICE|package-lock\.json)$/, why: 'not ours' },
  {
    path: /\/(lexicon-table|weights|vocabulary|context-words|uncased)\.ts$/,
    why: 'words of people and places, by data',
  },
  { path: /^infra\/scripts\/name-(samples|sentences)/, why: 'training sentences' },
  { path: /\/examples\/|^schemas\/generated\.ts$/, why: 'invented data; what the schemas say' },
];
