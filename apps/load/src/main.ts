/** The load scripts: `main.js <command> [options]`. */
import { CommandError, type Command } from './command.js';
import { assertFilesToStart } from './load/open-files.js';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${isWrongUse(error) ? oneLine(error.message) : (error as Error).stack}\n`);
  process.exitCode = 2;
}
// Everything is written by now. Left to itself, Node 20 was seen to spin for ever while it cleaned up after reset sockets.
process.exit();

async function main([name, ...args]: readonly string[]): Promise<number> {
  // Node opens most of what it imports at once, and dies of it where it may not.
  assertFilesToStart();
  const { COMMANDS } = await import('./commands.js');
  if (name === undefined || name === '--help') {
    process.stdout.write(`${help(COMMANDS)}\n`);
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find((known) => known.name === name);
  if (!command) throw new CommandError(`"${name}" is not a command: ${COMMANDS.map((known) => known.name).join(', ')}`);
  if (args.includes('--help')) {
    process.stdout.write(`${command.help(args)}\n`);
    return 0;
  }
  return command.run(args);
}

function help(commands: readonly Command[]): string {
  return [
    'Usage: main.js <command> [options]',
    '',
    ...commands.map(({ name, says }) => `  ${name.padEnd(8)}${says}`),
    '',
    'main.js <command> --help tells the options of a command.',
  ].join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

/** `parseArgs` of Node says itself what is wrong with an option. */
function isWrongUse(error: unknown): error is Error {
  if (error instanceof CommandError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
