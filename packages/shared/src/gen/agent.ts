import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ActivateEvent as _sampan_agent_v1_ActivateEvent, ActivateEvent__Output as _sampan_agent_v1_ActivateEvent__Output } from './sampan/agent/v1/ActivateEvent.ts';
import type { ActivateRequest as _sampan_agent_v1_ActivateRequest, ActivateRequest__Output as _sampan_agent_v1_ActivateRequest__Output } from './sampan/agent/v1/ActivateRequest.ts';
import type { ActivateResult as _sampan_agent_v1_ActivateResult, ActivateResult__Output as _sampan_agent_v1_ActivateResult__Output } from './sampan/agent/v1/ActivateResult.ts';
import type { AgentClient as _sampan_agent_v1_AgentClient, AgentDefinition as _sampan_agent_v1_AgentDefinition } from './sampan/agent/v1/Agent.ts';
import type { CancelOperationRequest as _sampan_agent_v1_CancelOperationRequest, CancelOperationRequest__Output as _sampan_agent_v1_CancelOperationRequest__Output } from './sampan/agent/v1/CancelOperationRequest.ts';
import type { CancelOperationResponse as _sampan_agent_v1_CancelOperationResponse, CancelOperationResponse__Output as _sampan_agent_v1_CancelOperationResponse__Output } from './sampan/agent/v1/CancelOperationResponse.ts';
import type { Check as _sampan_agent_v1_Check, Check__Output as _sampan_agent_v1_Check__Output } from './sampan/agent/v1/Check.ts';
import type { CheckHealthRequest as _sampan_agent_v1_CheckHealthRequest, CheckHealthRequest__Output as _sampan_agent_v1_CheckHealthRequest__Output } from './sampan/agent/v1/CheckHealthRequest.ts';
import type { CheckHealthResponse as _sampan_agent_v1_CheckHealthResponse, CheckHealthResponse__Output as _sampan_agent_v1_CheckHealthResponse__Output } from './sampan/agent/v1/CheckHealthResponse.ts';
import type { CommandCheck as _sampan_agent_v1_CommandCheck, CommandCheck__Output as _sampan_agent_v1_CommandCheck__Output } from './sampan/agent/v1/CommandCheck.ts';
import type { Fence as _sampan_agent_v1_Fence, Fence__Output as _sampan_agent_v1_Fence__Output } from './sampan/agent/v1/Fence.ts';
import type { GetCurrentVersionRequest as _sampan_agent_v1_GetCurrentVersionRequest, GetCurrentVersionRequest__Output as _sampan_agent_v1_GetCurrentVersionRequest__Output } from './sampan/agent/v1/GetCurrentVersionRequest.ts';
import type { GetCurrentVersionResponse as _sampan_agent_v1_GetCurrentVersionResponse, GetCurrentVersionResponse__Output as _sampan_agent_v1_GetCurrentVersionResponse__Output } from './sampan/agent/v1/GetCurrentVersionResponse.ts';
import type { GetOperationRequest as _sampan_agent_v1_GetOperationRequest, GetOperationRequest__Output as _sampan_agent_v1_GetOperationRequest__Output } from './sampan/agent/v1/GetOperationRequest.ts';
import type { GetOperationResponse as _sampan_agent_v1_GetOperationResponse, GetOperationResponse__Output as _sampan_agent_v1_GetOperationResponse__Output } from './sampan/agent/v1/GetOperationResponse.ts';
import type { GetRunningVersionRequest as _sampan_agent_v1_GetRunningVersionRequest, GetRunningVersionRequest__Output as _sampan_agent_v1_GetRunningVersionRequest__Output } from './sampan/agent/v1/GetRunningVersionRequest.ts';
import type { GetRunningVersionResponse as _sampan_agent_v1_GetRunningVersionResponse, GetRunningVersionResponse__Output as _sampan_agent_v1_GetRunningVersionResponse__Output } from './sampan/agent/v1/GetRunningVersionResponse.ts';
import type { GetStatusRequest as _sampan_agent_v1_GetStatusRequest, GetStatusRequest__Output as _sampan_agent_v1_GetStatusRequest__Output } from './sampan/agent/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _sampan_agent_v1_GetStatusResponse, GetStatusResponse__Output as _sampan_agent_v1_GetStatusResponse__Output } from './sampan/agent/v1/GetStatusResponse.ts';
import type { HealthCheck as _sampan_agent_v1_HealthCheck, HealthCheck__Output as _sampan_agent_v1_HealthCheck__Output } from './sampan/agent/v1/HealthCheck.ts';
import type { HttpCheck as _sampan_agent_v1_HttpCheck, HttpCheck__Output as _sampan_agent_v1_HttpCheck__Output } from './sampan/agent/v1/HttpCheck.ts';
import type { KeptRelease as _sampan_agent_v1_KeptRelease, KeptRelease__Output as _sampan_agent_v1_KeptRelease__Output } from './sampan/agent/v1/KeptRelease.ts';
import type { ListReleasesRequest as _sampan_agent_v1_ListReleasesRequest, ListReleasesRequest__Output as _sampan_agent_v1_ListReleasesRequest__Output } from './sampan/agent/v1/ListReleasesRequest.ts';
import type { ListReleasesResponse as _sampan_agent_v1_ListReleasesResponse, ListReleasesResponse__Output as _sampan_agent_v1_ListReleasesResponse__Output } from './sampan/agent/v1/ListReleasesResponse.ts';
import type { ProgramState as _sampan_agent_v1_ProgramState, ProgramState__Output as _sampan_agent_v1_ProgramState__Output } from './sampan/agent/v1/ProgramState.ts';
import type { Progress as _sampan_agent_v1_Progress, Progress__Output as _sampan_agent_v1_Progress__Output } from './sampan/agent/v1/Progress.ts';
import type { ReadLogChunk as _sampan_agent_v1_ReadLogChunk, ReadLogChunk__Output as _sampan_agent_v1_ReadLogChunk__Output } from './sampan/agent/v1/ReadLogChunk.ts';
import type { ReadLogRequest as _sampan_agent_v1_ReadLogRequest, ReadLogRequest__Output as _sampan_agent_v1_ReadLogRequest__Output } from './sampan/agent/v1/ReadLogRequest.ts';
import type { Release as _sampan_agent_v1_Release, Release__Output as _sampan_agent_v1_Release__Output } from './sampan/agent/v1/Release.ts';
import type { RemoveRequest as _sampan_agent_v1_RemoveRequest, RemoveRequest__Output as _sampan_agent_v1_RemoveRequest__Output } from './sampan/agent/v1/RemoveRequest.ts';
import type { RemoveResponse as _sampan_agent_v1_RemoveResponse, RemoveResponse__Output as _sampan_agent_v1_RemoveResponse__Output } from './sampan/agent/v1/RemoveResponse.ts';
import type { RenewCertificateRequest as _sampan_agent_v1_RenewCertificateRequest, RenewCertificateRequest__Output as _sampan_agent_v1_RenewCertificateRequest__Output } from './sampan/agent/v1/RenewCertificateRequest.ts';
import type { RenewCertificateResponse as _sampan_agent_v1_RenewCertificateResponse, RenewCertificateResponse__Output as _sampan_agent_v1_RenewCertificateResponse__Output } from './sampan/agent/v1/RenewCertificateResponse.ts';
import type { RunningProgram as _sampan_agent_v1_RunningProgram, RunningProgram__Output as _sampan_agent_v1_RunningProgram__Output } from './sampan/agent/v1/RunningProgram.ts';
import type { StageEvent as _sampan_agent_v1_StageEvent, StageEvent__Output as _sampan_agent_v1_StageEvent__Output } from './sampan/agent/v1/StageEvent.ts';
import type { StageRequest as _sampan_agent_v1_StageRequest, StageRequest__Output as _sampan_agent_v1_StageRequest__Output } from './sampan/agent/v1/StageRequest.ts';
import type { StageResult as _sampan_agent_v1_StageResult, StageResult__Output as _sampan_agent_v1_StageResult__Output } from './sampan/agent/v1/StageResult.ts';
import type { Target as _sampan_agent_v1_Target, Target__Output as _sampan_agent_v1_Target__Output } from './sampan/agent/v1/Target.ts';
import type { TcpCheck as _sampan_agent_v1_TcpCheck, TcpCheck__Output as _sampan_agent_v1_TcpCheck__Output } from './sampan/agent/v1/TcpCheck.ts';
import type { UpgradeAgentOrder as _sampan_agent_v1_UpgradeAgentOrder, UpgradeAgentOrder__Output as _sampan_agent_v1_UpgradeAgentOrder__Output } from './sampan/agent/v1/UpgradeAgentOrder.ts';
import type { UpgradeAgentRequest as _sampan_agent_v1_UpgradeAgentRequest, UpgradeAgentRequest__Output as _sampan_agent_v1_UpgradeAgentRequest__Output } from './sampan/agent/v1/UpgradeAgentRequest.ts';
import type { UpgradeAgentResponse as _sampan_agent_v1_UpgradeAgentResponse, UpgradeAgentResponse__Output as _sampan_agent_v1_UpgradeAgentResponse__Output } from './sampan/agent/v1/UpgradeAgentResponse.ts';
import type { WriteProgramConfigRequest as _sampan_agent_v1_WriteProgramConfigRequest, WriteProgramConfigRequest__Output as _sampan_agent_v1_WriteProgramConfigRequest__Output } from './sampan/agent/v1/WriteProgramConfigRequest.ts';
import type { WriteProgramConfigResponse as _sampan_agent_v1_WriteProgramConfigResponse, WriteProgramConfigResponse__Output as _sampan_agent_v1_WriteProgramConfigResponse__Output } from './sampan/agent/v1/WriteProgramConfigResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  sampan: {
    agent: {
      v1: {
        ActivateEvent: MessageTypeDefinition<_sampan_agent_v1_ActivateEvent, _sampan_agent_v1_ActivateEvent__Output>
        ActivateRequest: MessageTypeDefinition<_sampan_agent_v1_ActivateRequest, _sampan_agent_v1_ActivateRequest__Output>
        ActivateResult: MessageTypeDefinition<_sampan_agent_v1_ActivateResult, _sampan_agent_v1_ActivateResult__Output>
        Agent: SubtypeConstructor<typeof grpc.Client, _sampan_agent_v1_AgentClient> & { service: _sampan_agent_v1_AgentDefinition }
        CancelOperationRequest: MessageTypeDefinition<_sampan_agent_v1_CancelOperationRequest, _sampan_agent_v1_CancelOperationRequest__Output>
        CancelOperationResponse: MessageTypeDefinition<_sampan_agent_v1_CancelOperationResponse, _sampan_agent_v1_CancelOperationResponse__Output>
        Check: MessageTypeDefinition<_sampan_agent_v1_Check, _sampan_agent_v1_Check__Output>
        CheckHealthRequest: MessageTypeDefinition<_sampan_agent_v1_CheckHealthRequest, _sampan_agent_v1_CheckHealthRequest__Output>
        CheckHealthResponse: MessageTypeDefinition<_sampan_agent_v1_CheckHealthResponse, _sampan_agent_v1_CheckHealthResponse__Output>
        CommandCheck: MessageTypeDefinition<_sampan_agent_v1_CommandCheck, _sampan_agent_v1_CommandCheck__Output>
        Fence: MessageTypeDefinition<_sampan_agent_v1_Fence, _sampan_agent_v1_Fence__Output>
        GetCurrentVersionRequest: MessageTypeDefinition<_sampan_agent_v1_GetCurrentVersionRequest, _sampan_agent_v1_GetCurrentVersionRequest__Output>
        GetCurrentVersionResponse: MessageTypeDefinition<_sampan_agent_v1_GetCurrentVersionResponse, _sampan_agent_v1_GetCurrentVersionResponse__Output>
        GetOperationRequest: MessageTypeDefinition<_sampan_agent_v1_GetOperationRequest, _sampan_agent_v1_GetOperationRequest__Output>
        GetOperationResponse: MessageTypeDefinition<_sampan_agent_v1_GetOperationResponse, _sampan_agent_v1_GetOperationResponse__Output>
        GetRunningVersionRequest: MessageTypeDefinition<_sampan_agent_v1_GetRunningVersionRequest, _sampan_agent_v1_GetRunningVersionRequest__Output>
        GetRunningVersionResponse: MessageTypeDefinition<_sampan_agent_v1_GetRunningVersionResponse, _sampan_agent_v1_GetRunningVersionResponse__Output>
        GetStatusRequest: MessageTypeDefinition<_sampan_agent_v1_GetStatusRequest, _sampan_agent_v1_GetStatusRequest__Output>
        GetStatusResponse: MessageTypeDefinition<_sampan_agent_v1_GetStatusResponse, _sampan_agent_v1_GetStatusResponse__Output>
        HealthCheck: MessageTypeDefinition<_sampan_agent_v1_HealthCheck, _sampan_agent_v1_HealthCheck__Output>
        HttpCheck: MessageTypeDefinition<_sampan_agent_v1_HttpCheck, _sampan_agent_v1_HttpCheck__Output>
        KeptRelease: MessageTypeDefinition<_sampan_agent_v1_KeptRelease, _sampan_agent_v1_KeptRelease__Output>
        ListReleasesRequest: MessageTypeDefinition<_sampan_agent_v1_ListReleasesRequest, _sampan_agent_v1_ListReleasesRequest__Output>
        ListReleasesResponse: MessageTypeDefinition<_sampan_agent_v1_ListReleasesResponse, _sampan_agent_v1_ListReleasesResponse__Output>
        ProgramState: MessageTypeDefinition<_sampan_agent_v1_ProgramState, _sampan_agent_v1_ProgramState__Output>
        Progress: MessageTypeDefinition<_sampan_agent_v1_Progress, _sampan_agent_v1_Progress__Output>
        ReadLogChunk: MessageTypeDefinition<_sampan_agent_v1_ReadLogChunk, _sampan_agent_v1_ReadLogChunk__Output>
        ReadLogRequest: MessageTypeDefinition<_sampan_agent_v1_ReadLogRequest, _sampan_agent_v1_ReadLogRequest__Output>
        Release: MessageTypeDefinition<_sampan_agent_v1_Release, _sampan_agent_v1_Release__Output>
        RemoveRequest: MessageTypeDefinition<_sampan_agent_v1_RemoveRequest, _sampan_agent_v1_RemoveRequest__Output>
        RemoveResponse: MessageTypeDefinition<_sampan_agent_v1_RemoveResponse, _sampan_agent_v1_RemoveResponse__Output>
        RenewCertificateRequest: MessageTypeDefinition<_sampan_agent_v1_RenewCertificateRequest, _sampan_agent_v1_RenewCertificateRequest__Output>
        RenewCertificateResponse: MessageTypeDefinition<_sampan_agent_v1_RenewCertificateResponse, _sampan_agent_v1_RenewCertificateResponse__Output>
        RunningProgram: MessageTypeDefinition<_sampan_agent_v1_RunningProgram, _sampan_agent_v1_RunningProgram__Output>
        StageEvent: MessageTypeDefinition<_sampan_agent_v1_StageEvent, _sampan_agent_v1_StageEvent__Output>
        StageRequest: MessageTypeDefinition<_sampan_agent_v1_StageRequest, _sampan_agent_v1_StageRequest__Output>
        StageResult: MessageTypeDefinition<_sampan_agent_v1_StageResult, _sampan_agent_v1_StageResult__Output>
        Target: MessageTypeDefinition<_sampan_agent_v1_Target, _sampan_agent_v1_Target__Output>
        TcpCheck: MessageTypeDefinition<_sampan_agent_v1_TcpCheck, _sampan_agent_v1_TcpCheck__Output>
        UpgradeAgentOrder: MessageTypeDefinition<_sampan_agent_v1_UpgradeAgentOrder, _sampan_agent_v1_UpgradeAgentOrder__Output>
        UpgradeAgentRequest: MessageTypeDefinition<_sampan_agent_v1_UpgradeAgentRequest, _sampan_agent_v1_UpgradeAgentRequest__Output>
        UpgradeAgentResponse: MessageTypeDefinition<_sampan_agent_v1_UpgradeAgentResponse, _sampan_agent_v1_UpgradeAgentResponse__Output>
        WriteProgramConfigRequest: MessageTypeDefinition<_sampan_agent_v1_WriteProgramConfigRequest, _sampan_agent_v1_WriteProgramConfigRequest__Output>
        WriteProgramConfigResponse: MessageTypeDefinition<_sampan_agent_v1_WriteProgramConfigResponse, _sampan_agent_v1_WriteProgramConfigResponse__Output>
      }
    }
  }
}

