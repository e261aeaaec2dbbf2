import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticator } from '../auth/authenticator.js';
import { accepted } from './refused.js';

@ApiTags('guests')
@Controller('v1/guest')
export class GuestsController {
  constructor(private readonly authenticator: Authenticator) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'A token for an hour, for somebody who has none, where GUEST_GRANTS lets guests in' })
  @ApiResponse({ status: 200, description: '{ok: true, token, user, expiresAt}' })
  @ApiResponse({ status: 403, description: 'guests are not let in' })
  async admit() {
    return accepted(await this.authenticator.admitGuest());
  }
}
