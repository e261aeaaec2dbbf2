/** What is measured: the shipped server, or the echo, each a process of its own. */
import { ServerProcess } from '@homeport/testkit';
import { BaselineProcess } from '../baselines/baseline-process.js';

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
  const echo = await BaselineProcess.start('echo');
  return { name: 'echo', url: echo.url, pid: echo.pid, stop: () => echo.stop() };
}
