import { Module } from '@nestjs/common';
import { ClusterController } from './cluster.controller.js';
import { DocumentsController } from './documents.controller.js';
import { GuestsController } from './guests.controller.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { RevocationsController } from './revocations.controller.js';

@Module({
  controllers: [
    ClusterController,
    DocumentsController,
    GuestsController,
    HealthController,
    MetricsController,
    RevocationsController,
  ],
})
export class HttpModule {}
