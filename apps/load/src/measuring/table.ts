/** The result for people: a block per measurement, its values aligned. */

interface Row {
  readonly what: string;
  readonly value: string;
  readonly target?: string;
}

export interface Block {
  readonly says: string;
  readonly rows: readonly Row[];
}

export function table(blocks: readonly Block[]): string {
  const rows = blocks.flatMap((block) => block.rows);
  const whatChars = Math.max(...rows.map((row) => row.what.length), 0);
  const valueChars = Math.max(...rows.filter((row) => row.target !== undefined).map((row) => row.value.length), 0);
  return blocks
    .map(({ says, rows }) => [says, ...rows.map((row) => line(row, whatChars, valueChars))].join('\n'))
    .join('\n\n');
}

function line({ what, value, target }: Row, whatChars: number, valueChars: number): string {
  const start = `  ${what.padEnd(whatChars)}  `;
  return target === undefined ? start + value : `${start}${value.padEnd(valueChars)}  target ${target}`;
}
