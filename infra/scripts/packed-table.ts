/**
 * Bytes as source text: base64 in lines of 120, which `Buffer.from(text, 'base64')` reads past their ends. The
 * comment's last line excuses the length of the file.
 */
export function packedTable(comment: readonly string[], name: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,120}/g) ?? [];
  const whole = [...comment, 'Long because it is a generated table.'];
  return [...whole.map((line) => `// ${line}`), `export const ${name} = \``, ...lines, '`;', ''].join('\n');
}
