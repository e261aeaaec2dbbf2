import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HomeNode } from '@homeport/core';
import { refuse } from '@homeport/protocol';
import type { Logger } from 'pino';
import { isPattern } from '../auth/grants.js';
import { isUserId, USER_CHARS_MAX } from '../auth/user-id.js';
import { Config } from '../config.js';
import { LOG } from '../observe/log.js';
import { AdminGuard } from './admin-guard.js';
import { Refused } from './refused.js';

const RETRY_MS = 1_000;

@ApiTags('revocations')
@ApiBearerAuth()
@UseGuards(AdminGuard)
@Controller('v1/revocations')
export class RevocationsController {
  constructor(
    private readonly node: HomeNode,
    private readonly config: Config,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Ends what tokens of a user that were issued by now allow, on every node, open sockets too; guarded like /metrics',
  })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['subject'],
      properties: {
        subject: { type: 'string', description: 'the `sub` of the tokens' },
        document: { type: 'string', default: '*', description: 'a document pattern, as in a grant' },
      },
      example: { subject: 'ada', document: 'board-*' },
    },
  })
  @ApiResponse({
    status: 200,
    description: '{ok: true, at}: tokens that were issued before `at` (ms since 1970) are meant',
  })
  @ApiResponse({ status: 400, description: 'invalid' })
  @ApiResponse({ status: 401, description: 'unauthenticated: without the ADMIN_TOKEN' })
  @ApiResponse({ status: 403, description: 'forbidden: this server is open, there are no tokens' })
  @ApiResponse({ status: 503, description: 'whether it was written is not known: send it again' })
  async revoke(@Body() body: unknown) {
    const { subject, document = '*' } = (body ?? {}) as { subject?: unknown; document?: unknown };
    if (!isUserId(subject))
      throw new Refused(refuse.invalid('subject', `the user of the tokens, with 1 to ${USER_CHARS_MAX} characters`));
    if (typeof document !== 'string' || !isPattern(document))
      throw new Refused(refuse.invalid('document', 'a document pattern, as in a grant'));
    if (this.config.auth.kind === 'open')
      throw new Refused(refuse.forbidden('this server is open: there are no tokens to revoke'));
    const { atMs } = await this.node.revoke(subject, document).catch((error: unknown) => {
      this.log.error(error, 'a revocation was not written');
      throw new Refused(refuse.unavailable('the database can not be reached: send it again', RETRY_MS));
    });
    return { ok: true, at: atMs };
  }
}
