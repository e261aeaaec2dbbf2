/** What the page says, in words and figures. */
import type { ClusterView } from '@homeport/core';

type Event = ClusterView['timeline'][number];

const number = new Intl.NumberFormat('en');

export function figure(value: number): string {
  return number.format(value);
}

export function counted(count: number, thing: string): string {
  return `${figure(count)} ${thing}${count === 1 ? '' : 's'}`;
}

export function lasting(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** The time of the day; of another day, the day too. */
export function moment(at: number, now: number): string {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date(now).toDateString();
  const day = isToday ? '' : `${time.toLocaleDateString('en', { month: 'short', day: 'numeric' })}, `;
  return `${day}${time.toLocaleTimeString('en', { hourCycle: 'h23' })}`;
}

export function share(slots: number, all: number): string {
  const percent = (slots / all) * 100;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** The name of a node that is told of by its id, `<name>.<incarnation>`, or by its name. */
export function nameOf(node: string): string {
  return node.split('.', 1)[0]!;
}

/** What the whole comes to, in one sentence. */
export function headline({ nodes, slots }: ClusterView): string {
  const homeless = slots.filter((owner) => owner < 0).length;
  if (homeless > 0) return `${counted(homeless, 'slot')} without a home.`;
  const up = nodes.filter(({ state }) => state === 'up').length;
  if (nodes.some(({ state }) => state === 'draining')) return 'Moving out, nobody waits.';
  return up === 1 ? 'One node, every home.' : `${figure(up)} nodes, every slot at home.`;
}

/** The node whose doing it is, what happened, and how long it took. */
export function told(event: Event): { readonly who: string; readonly what: string; readonly took: string } {
  const who = nameOf(event.node);
  switch (event.kind) {
    case 'joined':
      return { who, what: 'joined', took: '' };
    case 'left':
      return { who, what: 'left', took: '' };
    case 'died':
      return { who, what: 'died', took: '' };
    case 'taken_over':
      return {
        who,
        what: `took over ${counted(event.slots, 'slot')} of ${nameOf(event.from)}`,
        took: `in ${lasting(event.tookMs)}`,
      };
    case 'handed_off':
      return {
        who,
        what: `was handed ${counted(event.slots, 'slot')} by ${nameOf(event.from)}`,
        took: `in ${lasting(event.tookMs)}`,
      };
  }
}
