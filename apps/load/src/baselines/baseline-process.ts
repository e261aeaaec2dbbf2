/** A server that Homeport is compared with, as a process of its own, built, and run with the flags of the shipped server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeFlags } from '@homeport/testkit';

const MAINS = {
  echo: 'dist/apps/load/src/baselines/echo-server.js',
  stateless: 'dist/apps/load/src/baselines/stateless/main.js',
} as const;

export class BaselineProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(name: keyof typeof MAINS, env: Readonly<Record<string, string>> = {}): Promise<BaselineProcess> {
    const child = spawn(process.execPath, ['--enable-source-maps', ...nodeFlags(), resolve(MAINS[name])], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const url = await new Promise<string>((ready, failed) => {
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the ${name} server ended with code ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /^ready at (\S+)$/.exec(line)?.[1];
        if (found !== undefined) ready(found);
      });
    });
    return new BaselineProcess(child, url);
  }

  get pid(): number {
    return this.child.pid!;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}
