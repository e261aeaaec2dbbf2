/** What is measured: the shipped server, or the echo, each a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { nodeFlags, ServerProcess } from '@homeport/testkit';

export interface System {
  readonly name: 'homeport' | 'echo';
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Homeport extends System {
  /** Ends it in good order and starts it again, on the same data. */
  restart(): Promise<void>;
}

/** Default settings; its port, its data folder and its Postgres are its own. */
export async function startHomeport(): Promise<Homeport> {
  const server = await ServerProcess.start({ env: { LOG_LEVEL: 'warn' } });
  return {
    name: 'homeport',
    get url() {
      return server.url;
    },
    get pid() {
      return server.pid;
    },
    restart: async () => {
      await server.stop();
      await server.restart();
    },
    stop: () => server.dispose(),
  };
}

export async function startEcho(): Promise<System> {
  const main = fileURLToPath(new URL('./echo-server.js', import.meta.url));
  const child = spawn(process.execPath, [...nodeFlags(), main], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^echo is ready at (\S+)$/.exec(line)?.[1];
    if (url === undefined) continue;
    return {
      name: 'echo',
      url,
      pid: child.pid!,
      stop: async () => {
        child.kill();
        await ended;
      },
    };
  }
  throw new Error('the echo server did not start');
}
