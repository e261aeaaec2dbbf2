/**
 * Tells the truth about what is shown: *Saved* is said only when all of it is committed and the page hears the server.
 * Beside it stands the node where the board has its home: one sees it move.
 */
import { useState, useSyncExternalStore } from 'react';
import type { BoardStatus } from '@homeport/client';
import { AckPlot } from './ack-plot.js';
import type { SharedBoard } from './use-board.js';

type Mood = 'good' | 'busy' | 'away' | 'bad';

interface StatusChipProps {
  readonly board: SharedBoard;
  /** Records that can not be drawn. */
  readonly skipped: number;
}

export function StatusChip({ board, skipped }: StatusChipProps) {
  const [open, setOpen] = useState(false);
  const status = useStatus(board);
  const { mood, words } = told(status);
  return (
    <div className="chip-place">
      {status.node && (
        <span className="chip-home" data-testid="home" title="The node where this board has its home">
          {homeOf(status)}
        </span>
      )}
      <button
        type="button"
        className={`chip chip--${mood}`}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        data-testid="status"
        data-position={status.position?.seq}
      >
        <span className="chip__dot" aria-hidden="true" />
        <span role="status">{words}</span>
      </button>
      {open && (
        <div className="chip__card" role="dialog" aria-label="Connection">
          <Details board={board} status={status} skipped={skipped} />
        </div>
      )}
    </div>
  );
}

export function useStatus(board: StatusChipProps['board']): BoardStatus {
  return useSyncExternalStore(
    (listener) => board.subscribeStatus(listener),
    () => board.status,
  );
}

function told({ connection, pending, access }: BoardStatus): { readonly mood: Mood; readonly words: string } {
  const kept = pending === 0 ? '' : `, ${changes(pending)} kept`;
  switch (connection) {
    case 'connecting':
      return { mood: 'busy', words: `Connecting${kept}` };
    case 'offline':
      return { mood: 'away', words: `Offline${kept}` };
    case 'unauthenticated':
      return { mood: 'bad', words: `Token needed${kept}` };
    case 'refused':
    case 'closed':
      return { mood: 'bad', words: 'Closed' };
    case 'live':
      if (access !== 'write') return { mood: 'away', words: 'Read only' };
      return pending === 0 ? { mood: 'good', words: 'Saved' } : { mood: 'busy', words: `Saving ${pending}` };
  }
}

function homeOf({ node, relayed }: BoardStatus): string {
  if (node === undefined) return 'not known yet';
  return relayed ? `${node.name}, relayed` : node.name;
}

function changes(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`;
}

function Details({ board, status, skipped }: StatusChipProps & { readonly status: BoardStatus }) {
  const { position, pending, expired, error } = status;
  return (
    <>
      <dl className="chip__facts">
        <dt>Home</dt>
        <dd>{homeOf(status)}</dd>
        <dt>Position</dt>
        <dd>{position?.seq ?? '–'}</dd>
        <dt>Waiting</dt>
        <dd>{pending === 0 ? 'nothing' : changes(pending)}</dd>
      </dl>
      <AckPlot samples={board.ackSamples} />
      {expired > 0 && (
        <p className="chip__note">{changes(expired)} could not be confirmed. Look whether they are there.</p>
      )}
      {skipped > 0 && <p className="chip__note">{skipped} of the records here can not be drawn.</p>}
      {error && <p className="chip__note">{error.message}</p>}
    </>
  );
}
