// Original file: proto/sampan/agent/v1/agent.proto


export interface RenewCertificateResponse {
}

export interface RenewCertificateResponse__Output {
}
