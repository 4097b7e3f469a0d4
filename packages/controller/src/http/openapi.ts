import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { VERSION } from '@sampan/shared/version.ts';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import type { ControllerApp } from './controller-app.ts';
import type { RouteAccess } from './route-access.ts';
import { showAsTold } from './shown.ts';

/** `/openapi.json`, and `/docs` to read and try it. To be called before the routes that it is to describe. */
export async function openApi(app: ControllerApp): Promise<void> {
  const asJsonSchema = createJsonSchemaTransform({ zodToJsonConfig: { override: showAsTold } });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sampan 部署服务', version: VERSION, description: DESCRIPTION },
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    transform: (route) => {
      const shown = asJsonSchema(route);
      return { ...shown, schema: { ...shown.schema, ...securityOf(route.route.config?.access) } };
    },
  });
  app.register((docs, _options, done) => {
    // Pages to read: they tell no more than openapi.json does, and what is tried there goes through the same door.
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' };
    });
    docs.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
    done();
  });
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () => app.swagger());
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: '由 sampan-controller token create 生成的 token' },
  appToken: { type: 'apiKey', in: 'header', name: 'APP_TOKEN', description: '同一个 token, 供旧服务的客户端使用' },
} as const;

function securityOf(access: RouteAccess | undefined): { security?: Record<string, string[]>[] } {
  return access === undefined || access === 'public' ? {} : { security: [{ bearer: [] }, { appToken: [] }] };
}

const DESCRIPTION = `把构建好的包部署到目标服务器并替换软连接, 支持回滚.

- 结果在返回体的 status_code 里: 200 全部成功, 501 部分主机失败, 两者的 HTTP 状态码都是 200. 请求有误时为 400、401、403、404、405、413、429, 服务正在停止时为 503, 意外错误时为 500, HTTP 状态码与 status_code 相同.
- POST 的请求体是 JSON, 不论 Content-Type 是什么. 未知字段会被忽略; 可选字段传 null 等于没有传.
- 服务要求 token 时 (配置 auth.tokens), 放在请求头 Authorization: Bearer 或 APP_TOKEN 里, 不能放在地址里. 权限: 部署和回滚需要 deploy, 初始化部署需要 config-write, 检查版本和查看日志需要 read; admin 可以全部. 地址在 auth.allow_ips 之内的客户端可以不带 token.`;
