/**
 * How many durable acknowledgements a second, and what CPU each costs the server, against a Socket.IO server that stores
 * nothing. 50 sockets, each with a document of its own and 8 pushes in flight, one push per message.
 */
import { ClosedLoop } from '../measuring/closed-loop.js';
import { cpuMs } from '../measuring/process-usage.js';
import { figureOf, ratioOf, shown } from '../measuring/figures.js';
import { startEcho, startHomeport, type System } from './system.js';
import { assertSound, Writer } from '../measuring/writer.js';
import { range } from '../measuring/range.js';
import { withSystems } from './rounds.js';
import type { Bench, Measured, Measurement } from './measurement.js';

const SOCKETS = 50;
const IN_FLIGHT = 8;

interface Rate {
  readonly acksPerSecond: number;
  readonly serverMicros: number | undefined;
  readonly generatorMicros: number;
}

export const acks: Measurement = {
  name: 'acks',
  says: `durable acks/s and server CPU per push, ${SOCKETS} sockets × ${IN_FLIGHT} in flight, against a plain echo`,
  async run(bench: Bench): Promise<Measured> {
    return withSystems([startEcho, startHomeport], async (systems) => {
      const rates = { echo: [] as Rate[], homeport: [] as Rate[] };
      await bench.rounds(bench.quick ? 2 : 5, async (round) => {
        for (const system of systems) {
          const rate = await measure(bench, system, round);
          rates[system.name].push(rate);
          bench.tell(`acks, round ${round + 1}, ${system.name}: ${Math.round(rate.acksPerSecond)}/s`);
        }
      });
      return report(rates);
    });
  },
};

async function measure(bench: Bench, system: System, round: number): Promise<Rate> {
  const writers = await Promise.all(range(SOCKETS).map((i) => Writer.join(system.url, `acks-${round}-${i}`)));
  const loop = await ClosedLoop.start(writers, IN_FLIGHT);
  await bench.span(bench.quick ? 1_000 : 2_000);
  const before = {
    answered: loop.answered,
    atMs: performance.now(),
    server: cpuMs(system.pid),
    generator: process.cpuUsage(),
  };
  await bench.span(bench.quick ? 1_500 : 4_000);
  const count = loop.answered - before.answered;
  const tookMs = performance.now() - before.atMs;
  const server = cpuMs(system.pid);
  const generator = process.cpuUsage(before.generator);
  loop.stop();
  assertSound(writers);
  for (const writer of writers) writer.close();
  return {
    acksPerSecond: (count * 1_000) / tookMs,
    serverMicros:
      server === undefined || before.server === undefined ? undefined : ((server - before.server) * 1_000) / count,
    generatorMicros: (generator.user + generator.system) / count,
  };
}

function report(rates: { readonly echo: readonly Rate[]; readonly homeport: readonly Rate[] }): Measured {
  const of = (name: 'echo' | 'homeport') => ({
    acksPerSecond: figureOf(rates[name].map((rate) => rate.acksPerSecond)),
    serverMicros: figureOf(rates[name].map((rate) => rate.serverMicros)),
    generatorMicros: figureOf(rates[name].map((rate) => rate.generatorMicros)),
  });
  const [echo, homeport] = [of('echo'), of('homeport')];
  const ratio = ratioOf(homeport.acksPerSecond, echo.acksPerSecond);
  const micros = ({ serverMicros, generatorMicros }: typeof echo): string =>
    `${shown(serverMicros, 1)} µs (generator ${shown(generatorMicros, 1)} µs)`;
  return {
    rows: [
      { what: 'plain echo, stores nothing', value: `${shown(echo.acksPerSecond)} acks/s` },
      { what: 'Homeport, durable', value: `${shown(homeport.acksPerSecond)} acks/s` },
      { what: 'ratio, round by round', value: shown(ratio, 2), target: '≥ 0.5, goal 0.8' },
      { what: 'server CPU per push: echo', value: micros(echo) },
      { what: 'server CPU per push: Homeport', value: micros(homeport) },
    ],
    raw: { sockets: SOCKETS, inFlight: IN_FLIGHT, echo, homeport, ratio },
  };
}
