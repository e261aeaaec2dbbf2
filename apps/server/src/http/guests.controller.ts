import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Authenticator } from '../auth/authenticator.js';
import { Door } from '../door/door.js';
import { accepted, Refused } from './refused.js';

@ApiTags('guests')
@Controller('v1/guest')
export class GuestsController {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly door: Door,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'A token for an hour, for somebody who has none, where GUEST_GRANTS lets guests in' })
  @ApiResponse({ status: 200, description: '{ok: true, token, user, expiresAt}' })
  @ApiResponse({ status: 403, description: 'guests are not let in' })
  @ApiResponse({ status: 429, description: 'too many at once: try again after Retry-After seconds' })
  async admit(@Req() request: Request) {
    const tooMany = this.door.guest(request.socket.remoteAddress);
    if (tooMany) throw new Refused(tooMany);
    return accepted(await this.authenticator.admitGuest());
  }
}
