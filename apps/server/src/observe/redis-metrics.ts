import type { RedisBus, RedisLinks } from '@homeport/redis';
import { Counter, Gauge, type Registry } from 'prom-client';

type Counted = readonly (readonly [labels: Record<string, string>, value: number])[];

/** What is known of Redis, and of the bus over it: read when somebody looks. */
export function addRedisMetrics(registry: Registry, links: RedisLinks, bus: RedisBus): void {
  const all = Object.entries({ bus: links.questions, frames: links.frames });
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[], read: () => Counted): void => {
    const counts = new Counter({
      name,
      help,
      labelNames,
      registers,
      collect: () => {
        counts.reset();
        for (const [labels, value] of read()) counts.inc(labels, value);
      },
    });
  };

  const up = new Gauge({
    name: 'homeport_redis_up',
    help: 'Whether Redis was heard of lately',
    labelNames: ['link'],
    registers,
    collect: () => {
      for (const [link, { isUp }] of all) up.set({ link }, Number(isUp));
    },
  });
  counter('homeport_redis_returns_total', 'How often Redis came back', ['link'], () =>
    all.map(([link, { counts }]) => [{ link }, counts.returns]),
  );
  counter('homeport_redis_messages_total', 'Messages, by what became of them', ['link', 'what'], () =>
    all.flatMap(
      ([
        link,
        {
          counts: { published, failed, heard },
        },
      ]) => labelled('what', { published, failed, heard }, { link }),
    ),
  );
  counter('homeport_bus_sent_total', 'Messages to other nodes that Redis took', ['kind'], () =>
    labelled('kind', bus.counts.sent),
  );
  counter('homeport_bus_questions_total', 'Questions to other nodes, by their end', ['outcome'], () =>
    labelled('outcome', bus.counts.questions),
  );
  counter('homeport_bus_dropped_total', 'Messages that were dropped', ['why'], () =>
    labelled('why', bus.counts.dropped),
  );
}

function labelled(
  label: string,
  counts: Readonly<Record<string, number>>,
  labels: Record<string, string> = {},
): Counted {
  return Object.entries(counts).map(([name, value]) => [{ ...labels, [label]: name }, value]);
}
