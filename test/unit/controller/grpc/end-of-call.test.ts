import { constants } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import { failureOfHttp, failureOfReset, statusOf } from '@sampan/controller/grpc/end-of-call.ts';
import { GrpcStatus } from '@sampan/controller/grpc/grpc-status.ts';
import { describe, expect, it } from 'vitest';

describe('how a call ended', () => {
  it('is told by the numbers that every gRPC implementation has', () => {
    expect(GrpcStatus).toEqual(Object.fromEntries(Object.entries(Status).filter(([name]) => !/^\d+$/.test(name))));
  });

  it('well, or not yet', () => {
    expect(statusOf({ 'grpc-status': '0' })).toBe('OK');
    expect(statusOf({ 'grpc-message': 'no status' })).toBeUndefined();
  });

  it.each([
    ['14', 'UNAVAILABLE'],
    ['17', 'UNKNOWN'],
    ['no number', 'UNKNOWN'],
    ['', 'UNKNOWN'],
    ['00', 'UNKNOWN'],
  ])('grpc-status %j', (text, status) => {
    expect(statusOf({ 'grpc-status': text })).toMatchObject({ status, details: '' });
  });

  it.each([
    ['plain words', 'plain words'],
    ['100%25 %E5%BF%99', '100% 忙'],
    ['broken %E5%', 'broken %E5%'],
  ])('grpc-message %j', (sent, details) => {
    expect(statusOf({ 'grpc-status': '13', 'grpc-message': sent })).toMatchObject({ status: 'INTERNAL', details });
  });

  it.each([
    [200, undefined],
    [400, 'INTERNAL'],
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'UNIMPLEMENTED'],
    [429, 'UNAVAILABLE'],
    [500, 'UNKNOWN'],
    [503, 'UNAVAILABLE'],
  ])('HTTP %i', (code, status) => {
    expect(failureOfHttp(code)?.status).toBe(status);
  });

  it.each([
    ['NGHTTP2_NO_ERROR', 'INTERNAL'],
    ['NGHTTP2_REFUSED_STREAM', 'UNAVAILABLE'],
    ['NGHTTP2_CANCEL', 'CANCELLED'],
    ['NGHTTP2_ENHANCE_YOUR_CALM', 'RESOURCE_EXHAUSTED'],
    ['NGHTTP2_INADEQUATE_SECURITY', 'PERMISSION_DENIED'],
    ['NGHTTP2_FLOW_CONTROL_ERROR', 'INTERNAL'],
  ] as const)('a stream reset by %s', (name, status) => {
    expect(failureOfReset(constants[name], undefined).status).toBe(status);
  });
});
