FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /ebbgate ./cmd/ebbgate

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home ebbgate && mkdir /keys /secrets && chown ebbgate /keys /secrets
COPY --from=build /ebbgate /usr/local/bin/ebbgate
COPY pipelines /app/pipelines
COPY bloblang/lib /app/bloblang/lib
WORKDIR /app
USER ebbgate
ENTRYPOINT ["ebbgate"]
CMD ["streams", "-o", "pipelines/service.yaml", "pipelines/streams"]
