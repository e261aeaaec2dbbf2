/** What several blows to the owners of documents cost the people who had them open. */
import { spreadOf } from '../chaos/report.js';
import type { Direction, Strike } from '../load/direction.js';
import { figure, type Target } from '../load/measured.js';

export interface OutageTargets {
  readonly owned?: Target;
  readonly waitP50?: Target;
  readonly waitP99?: Target;
}

/** Adds the figures. */
export function reportOutages({ found }: Direction, strikes: readonly Strike[], targets: OutageTargets): void {
  const owned = spreadOf(strikes.flatMap(({ ownedAfterMs }) => ownedAfterMs ?? []));
  const waits = spreadOf(strikes.flatMap(({ waitsMs }) => waitsMs));
  found.push(figure('blows', strikes.length, ''));
  if (owned || targets.owned)
    found.push(
      figure('slots owned again p50', owned?.p50 ?? null, 'ms'),
      figure('slots owned again p99', owned?.p99 ?? null, 'ms', targets.owned),
    );
  found.push(
    figure('longest wait for an ack, hit documents p50', waits?.p50 ?? null, 'ms', targets.waitP50),
    figure('longest wait for an ack, hit documents p99', waits?.p99 ?? null, 'ms', targets.waitP99),
  );
}
