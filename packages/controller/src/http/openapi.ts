import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { VERSION } from '@sampan/shared/version.ts';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import type { ControllerApp } from './controller-app.ts';
import { showAsTold } from './shown.ts';

/** `/openapi.json`, and `/docs` to read and try it. To be called before the routes that it is to describe. */
export async function openApi(app: ControllerApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sampan 部署服务', version: VERSION, description: DESCRIPTION },
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig: { override: showAsTold } }),
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

const DESCRIPTION = `把构建好的包部署到目标服务器并替换软连接, 支持回滚.

- 结果在返回体的 status_code 里: 200 全部成功, 501 部分主机失败, 两者的 HTTP 状态码都是 200. 请求有误时为 400、403、404、405、413, 服务正在停止时为 503, 意外错误时为 500, HTTP 状态码与 status_code 相同.
- POST 的请求体是 JSON, 不论 Content-Type 是什么. 未知字段会被忽略; 可选字段传 null 等于没有传.`;
