import { Module, type DynamicModule } from '@nestjs/common';
import { HomeNode } from '@homeport/core';
import { Authenticator } from './auth/authenticator.js';
import { Config } from './config.js';
import { Door } from './door/door.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { HttpModule } from './http/http.module.js';
import type { Home } from './node/home.js';
import { LOG } from './observe/log.js';
import { PrometheusProbe } from './observe/prometheus-probe.js';

/** What a started home has, for everything that is injected. */
@Module({})
class HomeModule {
  static of(home: Home): DynamicModule {
    const providers = [
      { provide: Config, useValue: home.config },
      { provide: HomeNode, useValue: home.node },
      { provide: Authenticator, useValue: home.authenticator },
      { provide: Door, useValue: home.door },
      { provide: PrometheusProbe, useValue: home.probe },
      { provide: LOG, useValue: home.log },
    ];
    return { module: HomeModule, global: true, providers, exports: providers };
  }
}

@Module({})
export class AppModule {
  static of(home: Home): DynamicModule {
    return { module: AppModule, imports: [HomeModule.of(home), HttpModule, GatewayModule] };
  }
}
