import { checkText, type UserId } from '@homeport/protocol';

export const USER_CHARS_MAX = 256;

/** Whether a value from outside can name a user: it is stored with each of their changes. */
export function isUserId(value: unknown): value is UserId {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= USER_CHARS_MAX && checkText(value) === undefined
  );
}
