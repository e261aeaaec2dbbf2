import './asset-path.js';
import './base.css';
import { lazy, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { takeTokenFromAddress } from './credentials.js';
import { ErrorBoundary } from './error-boundary.js';
import { HomePage } from './home/home-page.js';
import { Notice } from './notice.js';
import { showTheme } from './theme.js';

/** Excalidraw is large: the home page does not wait for it. */
const BoardPage = lazy(async () => ({ default: (await import('./board/board-page.js')).BoardPage }));

takeTokenFromAddress();
showTheme();

const boardId = /^\/board\/([^/]+)\/?$/.exec(location.pathname)?.[1];

createRoot(document.getElementById('root')!).render(
  <ErrorBoundary>
    {boardId === undefined ? (
      <HomePage />
    ) : (
      <Suspense fallback={<Notice title="Opening the board…" waiting />}>
        <BoardPage id={decodeURIComponent(boardId)} />
      </Suspense>
    )}
  </ErrorBoundary>,
);
