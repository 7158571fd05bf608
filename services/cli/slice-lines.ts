/** What `slices` and `explain` of a promotion print about slices: a sentence, rows worst first, reversals, notes. */
import {
  type MixShift,
  type Reversal,
  sliceAlpha,
  type SliceDifference,
  type SliceFinding,
} from '../statistics/index.ts';
import type { SliceRead } from '../statistics/slices.clickhouse.ts';
import { table } from './terminal.ts';

export type CandidateSlices = {
  readonly candidate: string;
  readonly findings: readonly SliceFinding[];
  /** Intervals that share the error, and what each has of it. */
  readonly looked: number;
  readonly alphaEach: number;
  readonly reversals: readonly Reversal[];
};
export type SliceReport = {
  readonly experiment: string;
  readonly phase: number;
  /** `decision`: up to its version vector. Outcomes are always those that the units have now. */
  readonly asOf: 'now' | 'decision';
  readonly control: string;
  readonly metrics: readonly { readonly id: string; readonly ofOutcomes: boolean }[];
  readonly candidates: readonly CandidateSlices[];
} & Pick<SliceRead, 'names' | 'distinctNames' | 'missing'>;

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;
const signed = (value: number): string =>
  `${value > 0 ? '+' : ''}${Math.abs(value) >= 1_000 ? Math.round(value) : value.toPrecision(3)}`;
const differenceText = ({ estimate, lower, upper }: SliceDifference): string =>
  `${signed(estimate)} [${signed(lower)}, ${signed(upper)}]`;

type Place = Pick<SliceFinding, 'kind' | 'value'>;
/** An app's own text, on one line: what moves a cursor is shown as JSON writes it, what is long is cut. */
function plain(text: string): string {
  const shown = /\p{C}/u.test(text) ? JSON.stringify(text) : text;
  return shown.length > 40 ? `${shown.slice(0, 39)}…` : shown;
}
const valueText = ({ kind, value }: Place): string => (kind === 'value' ? plain(value) : `(${kind})`);
const placeText = (finding: SliceFinding): string => `${plain(finding.slice)}=${valueText(finding)}`;

const slicesIn = (findings: readonly SliceFinding[]): number =>
  new Set(findings.map(({ slice, kind, value }) => JSON.stringify([slice, kind, value]))).size;

function sentence({ names, control }: SliceReport, { candidate, findings, reversals }: CandidateSlices): string {
  const worse = slicesIn(findings.filter(({ status }) => status === 'worse'));
  const where = `${plural(slicesIn(findings), 'slice')} of ${plural(names.length, 'dimension')}`;
  const reversed = reversals.length === 0 ? '' : `; ${plural(reversals.length, "Simpson's reversal")}`;
  return worse === 0
    ? `${candidate} is worse than ${control} in no slice: looked at ${where}${reversed}.`
    : `${candidate} is worse than ${control} in ${worse} of ${where}${reversed}.`;
}

/** How sure the intervals are, and how many of them leave the question open. */
function sureness({ metrics }: SliceReport, { looked, findings }: CandidateSlices): string {
  const count = (status: SliceFinding['status']): number => findings.filter((one) => one.status === status).length;
  const open = (['unclear', 'too few units', 'not measured'] as const).flatMap((status) =>
    count(status) === 0 ? [] : [`${count(status)} ${status}`],
  );
  const together = `${percent(1 - sliceAlpha)} for all ${plural(looked, 'interval')} together, at all looks`;
  return `${plural(metrics.length, 'metric')}, ${together}${open.length === 0 ? '' : `; ${open.join(', ')}`}`;
}

const nothing = ({ experiment, missing }: SliceReport): string =>
  Object.keys(missing.arms).length === 0
    ? `${experiment}: no slice to look at: no accepted call names one (an app says slices: { tier: 'free' }).`
    : `${experiment}: no slice to look at: no accepted call that has a row in table inferences names one.`;

/** Known of all calls in each arm, where some are not known. */
function knownText({ control, candidate }: SliceFinding): string {
  return [control, candidate]
    .map(({ known, unknown }) => (unknown === 0 ? 'all' : `${known} of ${known + unknown}`))
    .join(' / ');
}

function rowsOf(report: SliceReport, { candidate, findings }: CandidateSlices): string {
  const withMetric = report.metrics.length > 1;
  const withKnown = findings.some(({ control, candidate: b }) => control.unknown + b.unknown > 0);
  const head = [
    ...(withMetric ? ['metric'] : []),
    'slice',
    'value',
    `units ${report.control} / ${candidate}`,
    ...(withKnown ? ['known'] : []),
    `difference ${candidate} - ${report.control}`,
    'verdict',
  ];
  const rows = findings.map((finding) => [
    ...(withMetric ? [finding.metric] : []),
    plain(finding.slice),
    valueText(finding),
    `${finding.control.units} / ${finding.candidate.units}`,
    ...(withKnown ? [knownText(finding)] : []),
    finding.difference === undefined ? '-' : differenceText(finding.difference),
    `${finding.status}${finding.reason === undefined ? '' : `: ${finding.reason}`}`,
  ]);
  return table([head, ...rows]);
}

/** A reversal: what points where, and which shift of the mix does it. */
function reversalLines(
  { metric, slice, overallPoints, overall, within, every, againstShare, mix, shifts }: Reversal,
  [control, candidate]: readonly [string, string],
): string[] {
  const other = overallPoints === 'better' ? 'worse' : 'better';
  const where = every ? 'every value' : `values that hold ${percent(againstShare)} of it`;
  const share = (arm: string, { share: part, units }: MixShift['control']): string =>
    `${percent(part)} of ${arm} (${plural(units, 'unit')})`;
  return [
    `${metric} by ${plain(slice)}: ${candidate} looks ${overallPoints} overall, ${differenceText(overall)},`,
    `and is ${other} in ${where}, ${differenceText(within)} at equal shares;`,
    ...shifts
      .slice(0, 1)
      .map(
        (cause) =>
          `the mix does it (${signed(mix)}): ${plain(slice)}=${valueText(cause)} is ` +
          `${share(control, cause.control)} and ${share(candidate, cause.candidate)}`,
      ),
  ];
}

function noteLines({ names, distinctNames, missing, metrics, asOf, candidates }: SliceReport): string[] {
  const isPartly = ({ difference, control, candidate }: SliceFinding): boolean =>
    difference !== undefined && control.unknown + candidate.unknown > 0;
  const partly = candidates.flatMap(({ findings }) => findings).filter(isPartly).length;
  const cut = names.filter(({ values, distinctValues }) => distinctValues > values);
  const lost = Object.entries(missing.arms).filter(([, count]) => count > 0);
  return [
    ...(partly === 0
      ? []
      : [`${plural(partly, 'difference')} of known values alone: what is unknown is in none, and may be otherwise`]),
    ...cut.map(
      ({ name, values, distinctValues }) =>
        `${plain(name)} has ${distinctValues} values: the ${values} that most calls have stand alone, ` +
        'the rest is (other)',
    ),
    ...(distinctNames > names.length
      ? [`${plural(distinctNames - names.length, 'further dimension')} not looked at: fewer calls name them`]
      : []),
    ...(lost.length === 0
      ? []
      : [
          `in no slice: ${missing.of} without a row in table inferences (sink behind, or erased): ` +
            lost.map(([arm, count]) => `${arm} ${count}`).join(', '),
        ]),
    ...(metrics.some(({ ofOutcomes }) => ofOutcomes)
      ? [
          'metrics of outcomes: a unit stands in the slices of its first call, with the outcomes that it has now' +
            (asOf === 'decision' ? ', not those of the decision' : ''),
        ]
      : []),
  ];
}

export function sliceLines(report: SliceReport): string[] {
  if (report.names.length === 0) return [nothing(report)];
  return [
    ...report.candidates.flatMap((of) => [
      `${report.experiment}, phase ${report.phase}: ${sentence(report, of)}`,
      sureness(report, of),
      rowsOf(report, of),
      ...of.reversals.flatMap((reversal) => {
        const [first = '', ...rest] = reversalLines(reversal, [report.control, of.candidate]);
        return [`reversal  ${first}`, ...rest.map((line) => `          ${line}`)];
      }),
    ]),
    ...noteLines(report).map((line) => `note      ${line}`),
    "nothing is decided from slices; a metric with where slice.NAME = 'VALUE' is, and guards that slice",
  ];
}

/** Lines of `explain` for a promotion, in its columns. */
export function promotionLines(found: { ok: true; report: SliceReport } | { ok: false; reason: string }): string[] {
  const [head, indent] = ['  slices      ', '              '];
  if (!found.ok) return [`${head}could not be looked at: ${found.reason}`];
  const { report } = found;
  if (report.names.length === 0) return [`${head}${nothing(report)}`];
  const lines = report.candidates.flatMap((of) => [
    sentence(report, of),
    sureness(report, of),
    ...of.findings.flatMap((finding) =>
      finding.status === 'worse' && finding.difference !== undefined
        ? [
            `worse: ${finding.metric}, ${placeText(finding)}: ${differenceText(finding.difference)}, ` +
              `${finding.control.units} / ${finding.candidate.units} units`,
          ]
        : [],
    ),
    ...of.reversals.flatMap((reversal) =>
      reversalLines(reversal, [report.control, of.candidate]).map((line, index) =>
        index === 0 ? `Simpson's reversal: ${line}` : line,
      ),
    ),
  ]);
  return [...lines, ...noteLines(report), 'slices are not in the evidence: the decision is not made from them'].map(
    (line, index) => `${index === 0 ? head : indent}${line}`,
  );
}
