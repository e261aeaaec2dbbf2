/** The ADMIN_TOKEN of this cluster, kept for the tab. */
const KEY = 'homeport.admin-token';

export class AdminToken {
  get kept(): string | undefined {
    return sessionStorage.getItem(KEY) ?? undefined;
  }

  keep(token: string): void {
    sessionStorage.setItem(KEY, token);
  }
}
