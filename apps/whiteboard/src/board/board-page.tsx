import './board.css';
import { useEffect } from 'react';
import { isDocumentId } from '@homeport/protocol';
import { titleOf } from '../board-id.js';
import { Notice } from '../notice.js';
import { noteOpened } from '../recent-boards.js';
import { BoardCanvas } from './board-canvas.js';
import { TokenForm } from './token-form.js';
import { useBoard, wordsFor } from './use-board.js';

export function BoardPage({ id }: { readonly id: string }) {
  return isDocumentId(id) ? <OpenBoard id={id} /> : <NoBoard why={`“${String(id)}” is not the name of a board.`} />;
}

function OpenBoard({ id }: { readonly id: string }) {
  const opening = useBoard(id);
  const { at } = opening;
  useEffect(() => {
    document.title = `${titleOf(id)} · Homeport`;
    if (at === 'open') noteOpened(id);
  }, [id, at]);
  switch (opening.at) {
    case 'opening':
      return (
        <Notice title={opening.reachable ? 'Opening the board…' : 'Looking for the server…'} waiting>
          {!opening.reachable && <p>It does not answer. This page goes on trying by itself.</p>}
        </Notice>
      );
    case 'token-needed':
      return (
        <Notice title="A token, please">
          <TokenForm need={opening.need} boardId={id} use={opening.use} />
        </Notice>
      );
    case 'refused':
      return <NoBoard why={`The server says: ${wordsFor(opening.error)}.`} />;
    case 'open':
      return <BoardCanvas id={id} {...opening} />;
  }
}

function NoBoard({ why }: { readonly why: string }) {
  return (
    <Notice title="This board stays closed">
      <p>{why}</p>
      <a className="hp-button" href="/">
        To the home page
      </a>
    </Notice>
  );
}
