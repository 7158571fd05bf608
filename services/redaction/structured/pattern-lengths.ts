/**
 * Lengths that a pattern of digits can match: a walk over its source, which has classes, groups of alternatives and
 * counts only.
 */
export function lengthsOf({ source }: RegExp): ReadonlySet<number> {
  let at = 0;
  const alternatives = (): Set<number> => {
    const lengths = new Set<number>();
    let here = new Set([0]);
    for (; at < source.length && source[at] !== ')'; ) {
      if (source[at] === '|') {
        for (const length of here) lengths.add(length);
        here = new Set([0]);
        at += 1;
        continue;
      }
      let unit = new Set([1]);
      if (source[at] === '(') {
        at += 3;
        unit = alternatives();
        at += 1;
      } else if (source[at] === '[') at = source.indexOf(']', at) + 1;
      else if (source[at] === '^' || source[at] === '$') {
        at += 1;
        continue;
      } else at += source[at] === '\\' ? 2 : 1;
      const count = /^(?:\{(\d+)(?:,(\d+))?\}|\?)/.exec(source.slice(at));
      const [from, to] =
        count === null ? [1, 1] : count[0] === '?' ? [0, 1] : [Number(count[1]), Number(count[2] ?? count[1])];
      at += count?.[0].length ?? 0;
      const next = new Set<number>();
      for (let times = from; times <= to; times += 1)
        for (const length of here) for (const one of unit) next.add(length + times * one);
      here = next;
    }
    for (const length of here) lengths.add(length);
    return lengths;
  };
  return alternatives();
}
