import { Component, type ReactNode } from 'react';
import { Notice } from './notice.js';

/** What was saved is safe whatever happens to a page, so the way out of any fault is to load it again. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Notice title="This page has run aground">
        <p>Everything that was shown as saved is safe on the server. Loading the page again brings it back.</p>
        <button type="button" className="hp-button" onClick={() => location.reload()}>
          Reload
        </button>
      </Notice>
    );
  }
}
