# Images of the services: docker build --target api|worker|dashboard [--build-arg DATABASE_PROVIDER=PostgreSql] .
# The database is chosen when the services are compiled: MySql (MySQL and MariaDB) unless said otherwise, as in every build.
ARG DOTNET_VERSION=10.0

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET_VERSION} AS build
ARG DATABASE_PROVIDER=MySql
WORKDIR /source
COPY . .
RUN dotnet publish services/Api --configuration Release -p:DatabaseProvider=${DATABASE_PROVIDER} --output /out/api \
 && dotnet publish services/Worker --configuration Release -p:DatabaseProvider=${DATABASE_PROVIDER} --output /out/worker \
 && dotnet publish services/Dashboard --configuration Release -p:DatabaseProvider=${DATABASE_PROVIDER} --output /out/dashboard

# Without shell and package manager; nothing in it is written at run time.
FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET_VERSION}-noble-chiseled AS service
WORKDIR /app
ENV ASPNETCORE_URLS=http://+:8080 DOTNET_EnableDiagnostics=0
EXPOSE 8080
USER $APP_UID

FROM service AS api
COPY --from=build /out/api .
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["dotnet", "Platform.Api.dll", "health"]
ENTRYPOINT ["dotnet", "Platform.Api.dll"]

FROM service AS worker
COPY --from=build /out/worker .
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["dotnet", "Platform.Worker.dll", "health"]
ENTRYPOINT ["dotnet", "Platform.Worker.dll"]

FROM service AS dashboard
COPY --from=build /out/dashboard .
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["dotnet", "Platform.Dashboard.dll", "health"]
ENTRYPOINT ["dotnet", "Platform.Dashboard.dll"]
