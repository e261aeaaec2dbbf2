import { useState } from 'react';
import type { TokenNeed } from '../credentials.js';

interface TokenFormProps {
  readonly need: TokenNeed;
  readonly boardId: string;
  readonly use: (token: string) => void;
}

/** Why nobody is let in without a token, how one is made, and where to put it. */
export function TokenForm({ need, boardId, use }: TokenFormProps) {
  const [token, setToken] = useState('');
  return (
    <>
      <p>
        {need === 'missing'
          ? 'This server lets in who has a token. Ask whoever runs it for a link with one, or paste yours here.'
          : 'The server does not take your token any more. Paste another one to go on.'}
      </p>
      <form
        className="hp-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim()) use(token.trim());
        }}
      >
        <input
          className="hp-input"
          type="password"
          autoComplete="off"
          placeholder="Token"
          aria-label="Token"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <button className="hp-button" disabled={token.trim() === ''}>
          Enter
        </button>
      </form>
      <p>Who runs the server makes one with its AUTH_SECRET:</p>
      <code className="hp-code">npm run token -- --user ada --grant '{pattern(boardId)}=write' --hours 8</code>
      <p>A link may carry it after the #, which is never sent to a server:</p>
      <code className="hp-code">
        {location.origin}/board/{boardId}#token=…
      </code>
    </>
  );
}

function pattern(boardId: string): string {
  return boardId.startsWith('board-') ? 'board-*' : boardId;
}
