# The server with its pages, without what it is built and tested with, and without the embedded Postgres: it needs a
# DATABASE_URL. `docker build -t homeport .`; docker-compose.yml shows how it is run.

FROM node:20-bookworm-slim AS build
WORKDIR /homeport
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:20-bookworm-slim AS production
WORKDIR /homeport
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /homeport
COPY package.json ./
COPY migrations ./migrations
COPY --from=production /homeport/node_modules ./node_modules
COPY --from=build /homeport/dist ./dist
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
# Not ready is not ill: one that drains, or waits for Postgres, is left alone.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# What `npm start` runs once everything is built. It is process 1 and hears the signals itself.
CMD ["node", "--max-semi-space-size=32", "dist/apps/server/src/main.js"]
