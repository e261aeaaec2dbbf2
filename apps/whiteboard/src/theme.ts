/** Light, dark, or as the system has it; kept in this browser. */
const KEY = 'homeport.theme';
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

export type Theme = 'light' | 'dark' | 'system';

export function readTheme(): Theme {
  const theme = localStorage.getItem(KEY);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function writeTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  showTheme();
}

export function showTheme(): void {
  document.documentElement.dataset['theme'] = readTheme();
}

export function resolved(theme: Theme): 'light' | 'dark' {
  if (theme !== 'system') return theme;
  return systemIsDark.matches ? 'dark' : 'light';
}

export function onSystemTheme(listener: () => void): () => void {
  systemIsDark.addEventListener('change', listener);
  return () => systemIsDark.removeEventListener('change', listener);
}
