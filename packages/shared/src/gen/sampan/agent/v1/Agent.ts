// Original file: proto/sampan/agent/v1/agent.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ActivateEvent as _sampan_agent_v1_ActivateEvent, ActivateEvent__Output as _sampan_agent_v1_ActivateEvent__Output } from '../../../sampan/agent/v1/ActivateEvent.ts';
import type { ActivateRequest as _sampan_agent_v1_ActivateRequest, ActivateRequest__Output as _sampan_agent_v1_ActivateRequest__Output } from '../../../sampan/agent/v1/ActivateRequest.ts';
import type { CancelOperationRequest as _sampan_agent_v1_CancelOperationRequest, CancelOperationRequest__Output as _sampan_agent_v1_CancelOperationRequest__Output } from '../../../sampan/agent/v1/CancelOperationRequest.ts';
import type { CancelOperationResponse as _sampan_agent_v1_CancelOperationResponse, CancelOperationResponse__Output as _sampan_agent_v1_CancelOperationResponse__Output } from '../../../sampan/agent/v1/CancelOperationResponse.ts';
import type { CheckHealthRequest as _sampan_agent_v1_CheckHealthRequest, CheckHealthRequest__Output as _sampan_agent_v1_CheckHealthRequest__Output } from '../../../sampan/agent/v1/CheckHealthRequest.ts';
import type { CheckHealthResponse as _sampan_agent_v1_CheckHealthResponse, CheckHealthResponse__Output as _sampan_agent_v1_CheckHealthResponse__Output } from '../../../sampan/agent/v1/CheckHealthResponse.ts';
import type { GetCurrentVersionRequest as _sampan_agent_v1_GetCurrentVersionRequest, GetCurrentVersionRequest__Output as _sampan_agent_v1_GetCurrentVersionRequest__Output } from '../../../sampan/agent/v1/GetCurrentVersionRequest.ts';
import type { GetCurrentVersionResponse as _sampan_agent_v1_GetCurrentVersionResponse, GetCurrentVersionResponse__Output as _sampan_agent_v1_GetCurrentVersionResponse__Output } from '../../../sampan/agent/v1/GetCurrentVersionResponse.ts';
import type { GetOperationRequest as _sampan_agent_v1_GetOperationRequest, GetOperationRequest__Output as _sampan_agent_v1_GetOperationRequest__Output } from '../../../sampan/agent/v1/GetOperationRequest.ts';
import type { GetOperationResponse as _sampan_agent_v1_GetOperationResponse, GetOperationResponse__Output as _sampan_agent_v1_GetOperationResponse__Output } from '../../../sampan/agent/v1/GetOperationResponse.ts';
import type { GetRunningVersionRequest as _sampan_agent_v1_GetRunningVersionRequest, GetRunningVersionRequest__Output as _sampan_agent_v1_GetRunningVersionRequest__Output } from '../../../sampan/agent/v1/GetRunningVersionRequest.ts';
import type { GetRunningVersionResponse as _sampan_agent_v1_GetRunningVersionResponse, GetRunningVersionResponse__Output as _sampan_agent_v1_GetRunningVersionResponse__Output } from '../../../sampan/agent/v1/GetRunningVersionResponse.ts';
import type { GetStatusRequest as _sampan_agent_v1_GetStatusRequest, GetStatusRequest__Output as _sampan_agent_v1_GetStatusRequest__Output } from '../../../sampan/agent/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _sampan_agent_v1_GetStatusResponse, GetStatusResponse__Output as _sampan_agent_v1_GetStatusResponse__Output } from '../../../sampan/agent/v1/GetStatusResponse.ts';
import type { ListReleasesRequest as _sampan_agent_v1_ListReleasesRequest, ListReleasesRequest__Output as _sampan_agent_v1_ListReleasesRequest__Output } from '../../../sampan/agent/v1/ListReleasesRequest.ts';
import type { ListReleasesResponse as _sampan_agent_v1_ListReleasesResponse, ListReleasesResponse__Output as _sampan_agent_v1_ListReleasesResponse__Output } from '../../../sampan/agent/v1/ListReleasesResponse.ts';
import type { ReadLogChunk as _sampan_agent_v1_ReadLogChunk, ReadLogChunk__Output as _sampan_agent_v1_ReadLogChunk__Output } from '../../../sampan/agent/v1/ReadLogChunk.ts';
import type { ReadLogRequest as _sampan_agent_v1_ReadLogRequest, ReadLogRequest__Output as _sampan_agent_v1_ReadLogRequest__Output } from '../../../sampan/agent/v1/ReadLogRequest.ts';
import type { RemoveRequest as _sampan_agent_v1_RemoveRequest, RemoveRequest__Output as _sampan_agent_v1_RemoveRequest__Output } from '../../../sampan/agent/v1/RemoveRequest.ts';
import type { RemoveResponse as _sampan_agent_v1_RemoveResponse, RemoveResponse__Output as _sampan_agent_v1_RemoveResponse__Output } from '../../../sampan/agent/v1/RemoveResponse.ts';
import type { RenewCertificateRequest as _sampan_agent_v1_RenewCertificateRequest, RenewCertificateRequest__Output as _sampan_agent_v1_RenewCertificateRequest__Output } from '../../../sampan/agent/v1/RenewCertificateRequest.ts';
import type { RenewCertificateResponse as _sampan_agent_v1_RenewCertificateResponse, RenewCertificateResponse__Output as _sampan_agent_v1_RenewCertificateResponse__Output } from '../../../sampan/agent/v1/RenewCertificateResponse.ts';
import type { StageEvent as _sampan_agent_v1_StageEvent, StageEvent__Output as _sampan_agent_v1_StageEvent__Output } from '../../../sampan/agent/v1/StageEvent.ts';
import type { StageRequest as _sampan_agent_v1_StageRequest, StageRequest__Output as _sampan_agent_v1_StageRequest__Output } from '../../../sampan/agent/v1/StageRequest.ts';
import type { UpgradeAgentRequest as _sampan_agent_v1_UpgradeAgentRequest, UpgradeAgentRequest__Output as _sampan_agent_v1_UpgradeAgentRequest__Output } from '../../../sampan/agent/v1/UpgradeAgentRequest.ts';
import type { UpgradeAgentResponse as _sampan_agent_v1_UpgradeAgentResponse, UpgradeAgentResponse__Output as _sampan_agent_v1_UpgradeAgentResponse__Output } from '../../../sampan/agent/v1/UpgradeAgentResponse.ts';
import type { WriteProgramConfigRequest as _sampan_agent_v1_WriteProgramConfigRequest, WriteProgramConfigRequest__Output as _sampan_agent_v1_WriteProgramConfigRequest__Output } from '../../../sampan/agent/v1/WriteProgramConfigRequest.ts';
import type { WriteProgramConfigResponse as _sampan_agent_v1_WriteProgramConfigResponse, WriteProgramConfigResponse__Output as _sampan_agent_v1_WriteProgramConfigResponse__Output } from '../../../sampan/agent/v1/WriteProgramConfigResponse.ts';

export interface AgentClient extends grpc.Client {
  /**
   * Makes a release current, restarts and verifies; goes back when that fails. Joins like Stage.
   */
  Activate(argument: _sampan_agent_v1_ActivateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ActivateEvent__Output>;
  Activate(argument: _sampan_agent_v1_ActivateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ActivateEvent__Output>;
  /**
   * Makes a release current, restarts and verifies; goes back when that fails. Joins like Stage.
   */
  activate(argument: _sampan_agent_v1_ActivateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ActivateEvent__Output>;
  activate(argument: _sampan_agent_v1_ActivateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ActivateEvent__Output>;
  
  /**
   * Ends an operation before its flip. Past the flip it is too late, and the answer says so.
   */
  CancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  CancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  CancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  CancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Ends an operation before its flip. Past the flip it is too late, and the answer says so.
   */
  cancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  cancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  cancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  cancelOperation(argument: _sampan_agent_v1_CancelOperationRequest, callback: grpc.requestCallback<_sampan_agent_v1_CancelOperationResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Looks once whether what is current works; the answer says what was found.
   */
  CheckHealth(argument: _sampan_agent_v1_CheckHealthRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  CheckHealth(argument: _sampan_agent_v1_CheckHealthRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  CheckHealth(argument: _sampan_agent_v1_CheckHealthRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  CheckHealth(argument: _sampan_agent_v1_CheckHealthRequest, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Looks once whether what is current works; the answer says what was found.
   */
  checkHealth(argument: _sampan_agent_v1_CheckHealthRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  checkHealth(argument: _sampan_agent_v1_CheckHealthRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  checkHealth(argument: _sampan_agent_v1_CheckHealthRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  checkHealth(argument: _sampan_agent_v1_CheckHealthRequest, callback: grpc.requestCallback<_sampan_agent_v1_CheckHealthResponse__Output>): grpc.ClientUnaryCall;
  
  GetCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  GetCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  GetCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  GetCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  getCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  getCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  getCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  getCurrentVersion(argument: _sampan_agent_v1_GetCurrentVersionRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetCurrentVersionResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * What the journal knows of an operation. An unknown id fails with OPERATION_UNKNOWN, which is not "never ran".
   */
  GetOperation(argument: _sampan_agent_v1_GetOperationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  GetOperation(argument: _sampan_agent_v1_GetOperationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  GetOperation(argument: _sampan_agent_v1_GetOperationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  GetOperation(argument: _sampan_agent_v1_GetOperationRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  /**
   * What the journal knows of an operation. An unknown id fails with OPERATION_UNKNOWN, which is not "never ran".
   */
  getOperation(argument: _sampan_agent_v1_GetOperationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  getOperation(argument: _sampan_agent_v1_GetOperationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  getOperation(argument: _sampan_agent_v1_GetOperationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  getOperation(argument: _sampan_agent_v1_GetOperationRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetOperationResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * What the link names, and what the project's programs really run from.
   */
  GetRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  GetRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  GetRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  GetRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  /**
   * What the link names, and what the project's programs really run from.
   */
  getRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  getRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  getRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  getRunningVersion(argument: _sampan_agent_v1_GetRunningVersionRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetRunningVersionResponse__Output>): grpc.ClientUnaryCall;
  
  GetStatus(argument: _sampan_agent_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _sampan_agent_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _sampan_agent_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _sampan_agent_v1_GetStatusRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _sampan_agent_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _sampan_agent_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _sampan_agent_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _sampan_agent_v1_GetStatusRequest, callback: grpc.requestCallback<_sampan_agent_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  
  ListReleases(argument: _sampan_agent_v1_ListReleasesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  ListReleases(argument: _sampan_agent_v1_ListReleasesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  ListReleases(argument: _sampan_agent_v1_ListReleasesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  ListReleases(argument: _sampan_agent_v1_ListReleasesRequest, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  listReleases(argument: _sampan_agent_v1_ListReleasesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  listReleases(argument: _sampan_agent_v1_ListReleasesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  listReleases(argument: _sampan_agent_v1_ListReleasesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  listReleases(argument: _sampan_agent_v1_ListReleasesRequest, callback: grpc.requestCallback<_sampan_agent_v1_ListReleasesResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * The last lines of a log file, then, with `follow`, what is appended, across rotation.
   */
  ReadLog(argument: _sampan_agent_v1_ReadLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ReadLogChunk__Output>;
  ReadLog(argument: _sampan_agent_v1_ReadLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ReadLogChunk__Output>;
  /**
   * The last lines of a log file, then, with `follow`, what is appended, across rotation.
   */
  readLog(argument: _sampan_agent_v1_ReadLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ReadLogChunk__Output>;
  readLog(argument: _sampan_agent_v1_ReadLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_ReadLogChunk__Output>;
  
  /**
   * Deletes the copies of one release that nothing needs; the others are listed with the reason for keeping them.
   */
  Remove(argument: _sampan_agent_v1_RemoveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  Remove(argument: _sampan_agent_v1_RemoveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  Remove(argument: _sampan_agent_v1_RemoveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  Remove(argument: _sampan_agent_v1_RemoveRequest, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Deletes the copies of one release that nothing needs; the others are listed with the reason for keeping them.
   */
  remove(argument: _sampan_agent_v1_RemoveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _sampan_agent_v1_RemoveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _sampan_agent_v1_RemoveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  remove(argument: _sampan_agent_v1_RemoveRequest, callback: grpc.requestCallback<_sampan_agent_v1_RemoveResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Hands the agent a new certificate for the key that it has, and the roots that it is to trust from now on. Connections
   * that are open stay. An agent that listens without TLS has no identity and answers INVALID_REQUEST.
   */
  RenewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  RenewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Hands the agent a new certificate for the key that it has, and the roots that it is to trust from now on. Connections
   * that are open stay. An agent that listens without TLS has no identity and answers INVALID_REQUEST.
   */
  renewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  renewCertificate(argument: _sampan_agent_v1_RenewCertificateRequest, callback: grpc.requestCallback<_sampan_agent_v1_RenewCertificateResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Makes a release present and whole, and holds the link for the operation until it is activated,
   * cancelled, or `hold_ms` has passed. The stream ends with one `result`, or with an error.
   * A caller that goes away cancels nothing; the same operation id again joins the call that runs,
   * or gets the outcome that was reached.
   */
  Stage(argument: _sampan_agent_v1_StageRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_StageEvent__Output>;
  Stage(argument: _sampan_agent_v1_StageRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_StageEvent__Output>;
  /**
   * Makes a release present and whole, and holds the link for the operation until it is activated,
   * cancelled, or `hold_ms` has passed. The stream ends with one `result`, or with an error.
   * A caller that goes away cancels nothing; the same operation id again joins the call that runs,
   * or gets the outcome that was reached.
   */
  stage(argument: _sampan_agent_v1_StageRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_StageEvent__Output>;
  stage(argument: _sampan_agent_v1_StageRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_sampan_agent_v1_StageEvent__Output>;
  
  /**
   * Takes a package of the agent, and has it installed over this one: an order first, then the bytes. The answer comes when the
   * installation has begun; the agent is restarted by it, and GetStatus tells how it ended. One that does not come up is taken back.
   */
  UpgradeAgent(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  UpgradeAgent(metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  UpgradeAgent(options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  UpgradeAgent(callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  /**
   * Takes a package of the agent, and has it installed over this one: an order first, then the bytes. The answer comes when the
   * installation has begun; the agent is restarted by it, and GetStatus tells how it ended. One that does not come up is taken back.
   */
  upgradeAgent(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  upgradeAgent(metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  upgradeAgent(options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  upgradeAgent(callback: grpc.requestCallback<_sampan_agent_v1_UpgradeAgentResponse__Output>): grpc.ClientWritableStream<_sampan_agent_v1_UpgradeAgentRequest>;
  
  /**
   * Writes the supervisor config of a project; succeeds only if supervisor then knows its programs. Starts nothing.
   */
  WriteProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  WriteProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  WriteProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  WriteProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Writes the supervisor config of a project; succeeds only if supervisor then knows its programs. Starts nothing.
   */
  writeProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  writeProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  writeProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  writeProgramConfig(argument: _sampan_agent_v1_WriteProgramConfigRequest, callback: grpc.requestCallback<_sampan_agent_v1_WriteProgramConfigResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface AgentHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Makes a release current, restarts and verifies; goes back when that fails. Joins like Stage.
   */
  Activate: grpc.handleServerStreamingCall<_sampan_agent_v1_ActivateRequest__Output, _sampan_agent_v1_ActivateEvent>;
  
  /**
   * Ends an operation before its flip. Past the flip it is too late, and the answer says so.
   */
  CancelOperation: grpc.handleUnaryCall<_sampan_agent_v1_CancelOperationRequest__Output, _sampan_agent_v1_CancelOperationResponse>;
  
  /**
   * Looks once whether what is current works; the answer says what was found.
   */
  CheckHealth: grpc.handleUnaryCall<_sampan_agent_v1_CheckHealthRequest__Output, _sampan_agent_v1_CheckHealthResponse>;
  
  GetCurrentVersion: grpc.handleUnaryCall<_sampan_agent_v1_GetCurrentVersionRequest__Output, _sampan_agent_v1_GetCurrentVersionResponse>;
  
  /**
   * What the journal knows of an operation. An unknown id fails with OPERATION_UNKNOWN, which is not "never ran".
   */
  GetOperation: grpc.handleUnaryCall<_sampan_agent_v1_GetOperationRequest__Output, _sampan_agent_v1_GetOperationResponse>;
  
  /**
   * What the link names, and what the project's programs really run from.
   */
  GetRunningVersion: grpc.handleUnaryCall<_sampan_agent_v1_GetRunningVersionRequest__Output, _sampan_agent_v1_GetRunningVersionResponse>;
  
  GetStatus: grpc.handleUnaryCall<_sampan_agent_v1_GetStatusRequest__Output, _sampan_agent_v1_GetStatusResponse>;
  
  ListReleases: grpc.handleUnaryCall<_sampan_agent_v1_ListReleasesRequest__Output, _sampan_agent_v1_ListReleasesResponse>;
  
  /**
   * The last lines of a log file, then, with `follow`, what is appended, across rotation.
   */
  ReadLog: grpc.handleServerStreamingCall<_sampan_agent_v1_ReadLogRequest__Output, _sampan_agent_v1_ReadLogChunk>;
  
  /**
   * Deletes the copies of one release that nothing needs; the others are listed with the reason for keeping them.
   */
  Remove: grpc.handleUnaryCall<_sampan_agent_v1_RemoveRequest__Output, _sampan_agent_v1_RemoveResponse>;
  
  /**
   * Hands the agent a new certificate for the key that it has, and the roots that it is to trust from now on. Connections
   * that are open stay. An agent that listens without TLS has no identity and answers INVALID_REQUEST.
   */
  RenewCertificate: grpc.handleUnaryCall<_sampan_agent_v1_RenewCertificateRequest__Output, _sampan_agent_v1_RenewCertificateResponse>;
  
  /**
   * Makes a release present and whole, and holds the link for the operation until it is activated,
   * cancelled, or `hold_ms` has passed. The stream ends with one `result`, or with an error.
   * A caller that goes away cancels nothing; the same operation id again joins the call that runs,
   * or gets the outcome that was reached.
   */
  Stage: grpc.handleServerStreamingCall<_sampan_agent_v1_StageRequest__Output, _sampan_agent_v1_StageEvent>;
  
  /**
   * Takes a package of the agent, and has it installed over this one: an order first, then the bytes. The answer comes when the
   * installation has begun; the agent is restarted by it, and GetStatus tells how it ended. One that does not come up is taken back.
   */
  UpgradeAgent: grpc.handleClientStreamingCall<_sampan_agent_v1_UpgradeAgentRequest__Output, _sampan_agent_v1_UpgradeAgentResponse>;
  
  /**
   * Writes the supervisor config of a project; succeeds only if supervisor then knows its programs. Starts nothing.
   */
  WriteProgramConfig: grpc.handleUnaryCall<_sampan_agent_v1_WriteProgramConfigRequest__Output, _sampan_agent_v1_WriteProgramConfigResponse>;
  
}

export interface AgentDefinition extends grpc.ServiceDefinition {
  Activate: MethodDefinition<_sampan_agent_v1_ActivateRequest, _sampan_agent_v1_ActivateEvent, _sampan_agent_v1_ActivateRequest__Output, _sampan_agent_v1_ActivateEvent__Output>
  CancelOperation: MethodDefinition<_sampan_agent_v1_CancelOperationRequest, _sampan_agent_v1_CancelOperationResponse, _sampan_agent_v1_CancelOperationRequest__Output, _sampan_agent_v1_CancelOperationResponse__Output>
  CheckHealth: MethodDefinition<_sampan_agent_v1_CheckHealthRequest, _sampan_agent_v1_CheckHealthResponse, _sampan_agent_v1_CheckHealthRequest__Output, _sampan_agent_v1_CheckHealthResponse__Output>
  GetCurrentVersion: MethodDefinition<_sampan_agent_v1_GetCurrentVersionRequest, _sampan_agent_v1_GetCurrentVersionResponse, _sampan_agent_v1_GetCurrentVersionRequest__Output, _sampan_agent_v1_GetCurrentVersionResponse__Output>
  GetOperation: MethodDefinition<_sampan_agent_v1_GetOperationRequest, _sampan_agent_v1_GetOperationResponse, _sampan_agent_v1_GetOperationRequest__Output, _sampan_agent_v1_GetOperationResponse__Output>
  GetRunningVersion: MethodDefinition<_sampan_agent_v1_GetRunningVersionRequest, _sampan_agent_v1_GetRunningVersionResponse, _sampan_agent_v1_GetRunningVersionRequest__Output, _sampan_agent_v1_GetRunningVersionResponse__Output>
  GetStatus: MethodDefinition<_sampan_agent_v1_GetStatusRequest, _sampan_agent_v1_GetStatusResponse, _sampan_agent_v1_GetStatusRequest__Output, _sampan_agent_v1_GetStatusResponse__Output>
  ListReleases: MethodDefinition<_sampan_agent_v1_ListReleasesRequest, _sampan_agent_v1_ListReleasesResponse, _sampan_agent_v1_ListReleasesRequest__Output, _sampan_agent_v1_ListReleasesResponse__Output>
  ReadLog: MethodDefinition<_sampan_agent_v1_ReadLogRequest, _sampan_agent_v1_ReadLogChunk, _sampan_agent_v1_ReadLogRequest__Output, _sampan_agent_v1_ReadLogChunk__Output>
  Remove: MethodDefinition<_sampan_agent_v1_RemoveRequest, _sampan_agent_v1_RemoveResponse, _sampan_agent_v1_RemoveRequest__Output, _sampan_agent_v1_RemoveResponse__Output>
  RenewCertificate: MethodDefinition<_sampan_agent_v1_RenewCertificateRequest, _sampan_agent_v1_RenewCertificateResponse, _sampan_agent_v1_RenewCertificateRequest__Output, _sampan_agent_v1_RenewCertificateResponse__Output>
  Stage: MethodDefinition<_sampan_agent_v1_StageRequest, _sampan_agent_v1_StageEvent, _sampan_agent_v1_StageRequest__Output, _sampan_agent_v1_StageEvent__Output>
  UpgradeAgent: MethodDefinition<_sampan_agent_v1_UpgradeAgentRequest, _sampan_agent_v1_UpgradeAgentResponse, _sampan_agent_v1_UpgradeAgentRequest__Output, _sampan_agent_v1_UpgradeAgentResponse__Output>
  WriteProgramConfig: MethodDefinition<_sampan_agent_v1_WriteProgramConfigRequest, _sampan_agent_v1_WriteProgramConfigResponse, _sampan_agent_v1_WriteProgramConfigRequest__Output, _sampan_agent_v1_WriteProgramConfigResponse__Output>
}
