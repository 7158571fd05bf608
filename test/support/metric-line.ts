/** Metrics of an experiment file from a sentence: defaults for everything, only what is under test shows. */
export type MetricFields = {
  readonly id: string;
  readonly role?: 'goal' | 'guardrail' | 'signal';
  readonly numerator?: string | undefined;
  /** undefined: the metric is a mean per unit. */
  readonly denominator?: string | undefined;
  readonly quantile?: number;
  readonly of?: string;
  readonly threshold?: number;
  readonly better?: 'lower' | 'higher';
  readonly window?: string;
  readonly harm?: string | number;
  readonly baseline?: { readonly mean: number; readonly sd: number };
  readonly cap?: number;
  readonly margin?: string | number;
  readonly worthwhile?: string | number;
};

/** The metric as a line of the file. */
export function metricLine({ id, ...fields }: MetricFields): string {
  const { role, numerator, denominator, better, window, ...rest } = {
    role: 'guardrail',
    numerator: 'errors',
    denominator: 'requests',
    better: 'lower',
    window: '1h',
    ...fields,
  };
  const shown = Object.entries({ id, role, numerator, denominator, better, window, ...rest }).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [`${key}: ${typeof value === 'object' ? `{ mean: ${value.mean}, sd: ${value.sd} }` : value}`],
  );
  return `    - { ${shown.join(', ')} }\n`;
}

export const metricLines = (metrics: readonly MetricFields[]): string => metrics.map(metricLine).join('');
