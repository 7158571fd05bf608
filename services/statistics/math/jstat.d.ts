declare module 'jstat' {
  export function gammaln(x: number): number;
  const jstat: { gammaln(x: number): number };
  export default jstat;
}
