import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { HomeNode, sessionKey, type Identity } from '@homeport/core';
import {
  keyFlaw,
  parseEntries,
  parseOps,
  parseRead,
  refuse,
  type Access,
  type DocumentId,
  type Position,
  type ReadRequest,
  type Seq,
} from '@homeport/protocol';
import type { Response } from 'express';
import { BearerGuard, Caller } from './caller.js';
import { IDEMPOTENCY_HEADER, sessionOf } from './idempotency.js';
import { formatPosition, MIN_POSITION_HEADER, parsePosition, POSITION_HEADER } from './position-header.js';
import { accepted, Refused } from './refused.js';

const MIN_POSITION = ApiHeader({
  name: MIN_POSITION_HEADER,
  required: false,
  description: `A ${POSITION_HEADER} that was answered earlier: the answer is never older`,
});

/** Documents over HTTP, for servers and scripts: the same documents, the same promises, the same refusals as on the socket. */
@ApiTags('documents')
@ApiBearerAuth()
@ApiParam({ name: 'id', description: 'the document', example: 'board-1' })
@ApiResponse({ status: '4XX', description: 'a refusal: {ok: false, code, message, …}' })
@ApiResponse({ status: 503, description: 'not now: try again after Retry-After seconds' })
@UseGuards(BearerGuard)
@Controller('v1/documents/:id')
export class DocumentsController {
  constructor(private readonly node: HomeNode) {}

  @Get()
  @ApiOperation({ summary: 'A document: all of its records, or those whose key begins with `prefix`' })
  @ApiQuery({ name: 'prefix', required: false })
  @ApiResponse({ status: 200, description: '{ok: true, position, records: {key: {value, seq}}}' })
  @MIN_POSITION
  async document(
    @Caller() caller: Identity,
    @Param('id') id: string,
    @Query('prefix') prefix: unknown,
    @Headers(MIN_POSITION_HEADER) minPosition: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    return this.#read(caller, { document: id, ...(prefix !== undefined && { prefix }) }, minPosition, response);
  }

  @Get('records/:key')
  @ApiOperation({ summary: 'One record' })
  @ApiParam({ name: 'key', example: 'shape:7' })
  @ApiResponse({ status: 200, description: '{ok: true, position, record: {value, seq}}' })
  @ApiResponse({
    status: 404,
    description: '{ok: true, position, record: null}: at that position there is no such record',
  })
  @MIN_POSITION
  async record(
    @Caller() caller: Identity,
    @Param('id') id: string,
    @Param('key') key: string,
    @Headers(MIN_POSITION_HEADER) minPosition: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    const flaw = keyFlaw(key);
    if (flaw !== undefined) throw new Refused(refuse.invalid('key', `the key ${flaw}`));
    const { position, records } = await this.#read(caller, { document: id, keys: [key] }, minPosition, response);
    const record = Object.hasOwn(records, key) ? records[key] : undefined;
    if (record === undefined) response.status(404);
    return { ok: true, position, record: record ?? null };
  }

  @Post('push')
  @HttpCode(200)
  @ApiOperation({ summary: 'Changes records, all or nothing; answered after the commit' })
  @ApiHeader({
    name: IDEMPOTENCY_HEADER,
    required: false,
    description: 'Makes the push safe to send again: the same key gets the same answer for 24 h',
  })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['ops'],
      properties: { ops: { type: 'array', items: { type: 'object' } } },
      example: {
        ops: [
          { op: 'put', key: 'shape:7', value: { x: 1 } },
          { op: 'increment', key: 'shape:7', field: 'x', by: 2 },
        ],
      },
    },
  })
  @ApiResponse({ status: 200, description: '{ok: true, position}' })
  async push(
    @Caller() caller: Identity,
    @Param('id') id: string,
    @Headers(IDEMPOTENCY_HEADER) idempotencyKey: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { document } = accepted(parseRead({ document: id })).value;
    this.#mayOrThrow(caller, document, 'write');
    const ops = accepted(parseOps((body as { ops?: unknown } | undefined)?.ops)).value;
    const { session, opNo } = sessionOf(caller.user, idempotencyKey);
    const { user } = caller;
    const push = { user, session, writer: sessionKey(user, session), opNo, after: 0, ops };
    const reply = accepted(await this.node.directory.open(document, 'relay').push(push));
    return this.#at(reply, response);
  }

  @Get('entries')
  @ApiOperation({ summary: 'The changes from a seq on, in order; as many as fit a page' })
  @ApiQuery({ name: 'from', example: 1 })
  @ApiResponse({ status: 200, description: '{ok: true, entries: [{seq, session, opNo, user, at, ops}], to}' })
  @ApiResponse({ status: 410, description: 'resync: the log does not reach back that far' })
  async entries(@Caller() caller: Identity, @Param('id') id: string, @Query('from') from: unknown) {
    const seq = typeof from === 'string' && /^\d{1,15}$/.test(from) ? Number(from) : from;
    const request = accepted(parseEntries({ document: id, from: seq })).value;
    this.#mayOrThrow(caller, request.document, 'read');
    return accepted(await this.node.directory.open(request.document, 'relay').entries(request.from));
  }

  async #read(caller: Identity, input: object, minPosition: string | undefined, response: Response) {
    const request: ReadRequest = accepted(parseRead(input)).value;
    this.#mayOrThrow(caller, request.document, 'read');
    const min = parsePosition(minPosition);
    const demand = min && { minSeq: min.seq as Seq, timeline: min.timeline };
    const reply = await this.node.directory.open(request.document, 'relay').read({ ...request, ...demand });
    return this.#at(accepted(reply), response);
  }

  /** Rights never depend on existence, so an absent document is answered like a present one. */
  #mayOrThrow(caller: Identity, document: DocumentId, access: Access): void {
    const right = this.node.accessTo(caller, document);
    if (right === 'write' || right === access) return;
    throw new Refused(refuse.forbidden(`this user may not ${access} this document`));
  }

  #at<Reply extends { readonly position: Position }>(reply: Reply, response: Response): Reply {
    response.set(POSITION_HEADER, formatPosition(reply.position));
    return reply;
  }
}
