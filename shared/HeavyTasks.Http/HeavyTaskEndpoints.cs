using Microsoft.AspNetCore.Mvc;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Maps the endpoints of heavy tasks and files. Each asks for one of the <see cref="HeavyTaskPolicies"/>. Each method returns the endpoints
/// it mapped, so that the application can add to them, for example <c>AllowAnonymous</c>. Under a prefix
/// (<c>app.MapGroup("/api").MapHeavyTasks()</c>) the links and the <c>Location</c> header contain the prefix, too. Call each method once:
/// links are made from the endpoints' names, which must be unique in an application.
/// </summary>
public static class HeavyTaskEndpoints
{
    /// <summary>
    /// Maps <c>/heavy-tasks</c> (POST submits, GET lists), <c>/heavy-tasks/kinds</c> and below that
    /// <c>/{kind}/pause</c>, <c>/{kind}/resume</c>, <c>/{kind}/slots</c> and <c>/{kind}/purge</c>, <c>/heavy-tasks/{id}</c> (GET reads, DELETE
    /// deletes), and below that <c>/cancel</c>, <c>/retry</c>, <c>/log</c> and <c>/result</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The services that the endpoints need were not added.</exception>
    public static RouteGroupBuilder MapHeavyTasks(this IEndpointRouteBuilder app)
    {
        CheckServices(app, nameof(MapHeavyTasks));
        var tasks = app.MapGroup("/heavy-tasks").WithTags("Heavy tasks").RefuseForeignOrigins().LimitRequests();

        tasks
            .MapPost("/", SubmitHeavyTask.HandleAsync)
            .WithName("SubmitHeavyTask")
            .RequireAuthorization(HeavyTaskPolicies.Submit)
            .WithMetadata(new RequestSizeLimitAttribute(HeavyTask.MaxParametersLength))
            .Accepts<SubmitHeavyTaskRequest>("application/json")
            .ProducesProblems(408, 409, 413, 415, 422, 500, 503)
            .AddOpenApiOperationTransformer(SubmitHeavyTask.DescribeAsync);

        tasks
            .MapGet("/", ListHeavyTasks.HandleAsync)
            .WithName(EndpointPaths.ListHeavyTasks)
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .AlsoHead()
            .ProducesProblems(500, 503)
            .AddOpenApiOperationTransformer(ListHeavyTasks.DescribeAsync);
        tasks
            .MapGet("/kinds", ListHeavyTaskKinds.HandleAsync)
            .WithName("ListHeavyTaskKinds")
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .AlsoHead()
            .ProducesProblems(500, 503);

        tasks
            .MapPost("/kinds/{kind}/pause", PauseKind.HandleAsync)
            .WithName("PauseKind")
            .RequireAuthorization(HeavyTaskPolicies.OperateSystem)
            .ProducesProblems(404, 500, 503);
        tasks
            .MapPost("/kinds/{kind}/resume", ResumeKind.HandleAsync)
            .WithName("ResumeKind")
            .RequireAuthorization(HeavyTaskPolicies.OperateSystem)
            .ProducesProblems(404, 500, 503);

        tasks
            .MapPut("/kinds/{kind}/slots", SetKindSlots.HandleAsync)
            .WithName("SetKindSlots")
            .RequireAuthorization(HeavyTaskPolicies.OperateSystem)
            .WithMetadata(new RequestSizeLimitAttribute(SetKindSlots.MaxLength))
            .Accepts<SetKindSlotsRequest>("application/json")
            .ProducesProblems(404, 408, 413, 415, 500, 503);
        tasks
            .MapPost("/kinds/{kind}/purge", PurgeKind.HandleAsync)
            .WithName("PurgeKind")
            .RequireAuthorization(HeavyTaskPolicies.OperateSystem)
            .AddOpenApiOperationTransformer(PurgeKind.DescribeAsync)
            .ProducesProblems(404, 500, 503);

        tasks
            .MapGet("/{id:heavytaskuuid}", GetHeavyTask.HandleAsync)
            .WithName("GetHeavyTask")
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .AlsoHead()
            .ProducesProblems(404, 500, 503);

        tasks
            .MapPost("/{id:heavytaskuuid}/cancel", CancelHeavyTask.HandleAsync)
            .WithName("CancelHeavyTask")
            .RequireAuthorization(HeavyTaskPolicies.Operate)
            .ProducesProblems(404, 409, 500, 503);

        tasks
            .MapPost("/{id:heavytaskuuid}/retry", RetryHeavyTask.HandleAsync)
            .WithName("RetryHeavyTask")
            .RequireAuthorization(HeavyTaskPolicies.Operate)
            .ProducesProblems(404, 409, 500, 503);

        tasks
            .MapDelete("/{id:heavytaskuuid}", DeleteHeavyTask.HandleAsync)
            .WithName("DeleteHeavyTask")
            .RequireAuthorization(HeavyTaskPolicies.Operate)
            .ProducesProblems(404, 409, 500, 503);

        tasks
            .MapGet("/{id:heavytaskuuid}/log", GetHeavyTaskLog.HandleAsync)
            .WithName("GetHeavyTaskLog")
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .AlsoHead()
            .AddOpenApiOperationTransformer(GetHeavyTaskLog.DescribeAsync)
            .ProducesProblems(404, 500, 503);

        tasks
            .MapGet("/{id:heavytaskuuid}/result", DownloadResult.HandleAsync)
            .WithName("DownloadResult")
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .AlsoHead()
            .AddOpenApiOperationTransformer(DownloadResult.DescribeAsync)
            .ProducesProblems(404, 500, 503);

        return tasks;
    }

    /// <summary>Maps <c>/files</c> (POST uploads) and <c>/files/{id}</c>, which describes an upload.</summary>
    /// <exception cref="InvalidOperationException">The services that the endpoints need were not added.</exception>
    public static RouteGroupBuilder MapFiles(this IEndpointRouteBuilder app)
    {
        CheckServices(app, nameof(MapFiles));
        var files = app.MapGroup("/files").WithTags("Files").RefuseForeignOrigins().LimitRequests();

        // Files:MaxLength is the limit here. The server's own limit is meant for bodies that are held in memory.
        files
            .MapPost("/", UploadFile.HandleAsync)
            .WithName("UploadFile")
            .RequireAuthorization(HeavyTaskPolicies.Submit)
            .WithMetadata(new DisableRequestSizeLimitAttribute())
            .ProducesProblems(408, 413, 415, 500, 503)
            .AddOpenApiOperationTransformer(UploadFile.DescribeAsync);
        files
            .MapGet("/{id:heavytaskuuid}", GetFile.HandleAsync)
            .WithName(EndpointPaths.GetFile)
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .AlsoHead()
            .ProducesProblems(404, 500, 503);

        return files;
    }

    /// <summary>
    /// Maps <c>GET /services</c>: the living instances of every service whose pool was added by
    /// <see cref="HeavyTaskServiceCollectionExtensions.AddHeavyTaskDatabase{TDbContext}"/>, and the budget of connections. Below it
    /// <c>/{id}/drain</c> and <c>/{id}/resume</c> (POST) for one worker.
    /// </summary>
    /// <exception cref="InvalidOperationException">The services that the endpoint needs were not added.</exception>
    public static RouteGroupBuilder MapServices(this IEndpointRouteBuilder app)
    {
        CheckServices(app, nameof(MapServices));
        var services = app.MapGroup("/services").WithTags("Services").RefuseForeignOrigins().LimitRequests();
        services
            .MapGet("/", ListServices.HandleAsync)
            .WithName("ListServices")
            .RequireAuthorization(HeavyTaskPolicies.ReadSystem)
            .AlsoHead()
            .ProducesProblems(500, 503)
            .WithSummary("Lists the living instances of every service with their pools, and the budget of connections.");
        services
            .MapPost("/{id:heavytaskuuid}/drain", DrainWorker.HandleAsync)
            .WithName("DrainWorker")
            .RequireAuthorization(HeavyTaskPolicies.OperateSystem)
            .ProducesProblems(404, 500, 503);
        services
            .MapPost("/{id:heavytaskuuid}/resume", ResumeWorker.HandleAsync)
            .WithName("ResumeWorker")
            .RequireAuthorization(HeavyTaskPolicies.OperateSystem)
            .ProducesProblems(404, 500, 503);
        return services;
    }

    /// <summary>
    /// Maps <c>/keys</c> (POST creates, GET lists) and <c>/keys/{id}</c> (DELETE revokes), for administrators. The first key comes from
    /// <see cref="ApiKeys.CreateAsync"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The services that the endpoints need were not added.</exception>
    public static RouteGroupBuilder MapKeys(this IEndpointRouteBuilder app)
    {
        CheckServices(app, nameof(MapKeys));
        var keys = app.MapGroup("/keys")
            .WithTags("Keys")
            .RefuseForeignOrigins()
            .LimitRequests()
            .RequireAuthorization(HeavyTaskPolicies.Admin);
        keys.MapPost("/", CreateKey.HandleAsync)
            .WithName("CreateKey")
            .WithMetadata(new RequestSizeLimitAttribute(CreateKey.MaxLength))
            .Accepts<CreateKeyRequest>("application/json")
            .ProducesProblems(408, 409, 413, 415, 500, 503);
        keys.MapGet("/", ListKeys.HandleAsync).WithName(EndpointPaths.ListKeys).AlsoHead().ProducesProblems(500, 503);
        keys.MapDelete("/{id:length(16)}", RevokeKey.HandleAsync).WithName("RevokeKey").ProducesProblems(404, 500, 503);
        return keys;
    }

    /// <summary>Maps <c>GET /audit</c>: who did what, for administrators.</summary>
    /// <exception cref="InvalidOperationException">The services that the endpoint needs were not added.</exception>
    public static RouteHandlerBuilder MapAudit(this IEndpointRouteBuilder app)
    {
        CheckServices(app, nameof(MapAudit));
        return app.MapGet("/audit", ListAudit.HandleAsync)
            .LimitRequests()
            .WithTags("Audit")
            .WithName("ListAudit")
            .RequireAuthorization(HeavyTaskPolicies.Admin)
            .AlsoHead()
            .ProducesProblems(500, 503);
    }

    private static RouteHandlerBuilder ProducesProblems(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in (int[])[401, 403, 429, .. statuses])
        {
            endpoint.ProducesProblem(status);
        }

        return endpoint;
    }

    // Without this check the framework would read a missing service from the request.
    private static void CheckServices(IEndpointRouteBuilder app, string call)
    {
        ArgumentNullException.ThrowIfNull(app);
        var registered = app.ServiceProvider.GetRequiredService<IServiceProviderIsService>();
        if (!registered.IsService(typeof(AcceptedKinds)))
        {
            throw new InvalidOperationException($"{call} needs services.AddHeavyTaskEndpoints, which names the kinds.");
        }

        if (!registered.IsService(typeof(EngineContext)))
        {
            throw new InvalidOperationException(
                $"{call} needs the application's context: services.AddHeavyTaskDatabase<TDbContext> or AddHeavyTaskSubmission<TDbContext>."
            );
        }
    }
}

/// <summary>Finds the paths of endpoints in this application, with the prefix of their group and the base path of the request.</summary>
internal static class EndpointPaths
{
    /// <summary>The name of the endpoint that lists tasks.</summary>
    public const string ListHeavyTasks = nameof(ListHeavyTasks);

    /// <summary>The name of the endpoint that describes one file.</summary>
    public const string GetFile = nameof(GetFile);

    /// <summary>The name of the endpoint that lists keys.</summary>
    public const string ListKeys = nameof(ListKeys);

    // Callers append to these paths.
    private static readonly LinkOptions NoSlash = new() { AppendTrailingSlash = false };

    /// <summary>The path of the list of tasks, such as <c>/heavy-tasks</c>.</summary>
    public static string TasksPath(this LinkGenerator links, HttpContext http) => links.Path(http, ListHeavyTasks, []);

    /// <summary>The path of a file.</summary>
    public static string FilePath(this LinkGenerator links, HttpContext http, Guid id) =>
        links.Path(http, GetFile, new RouteValueDictionary { ["id"] = id });

    /// <summary>The path of a key.</summary>
    public static string KeyPath(this LinkGenerator links, HttpContext http, string id) => $"{links.Path(http, ListKeys, [])}/{id}";

    // Route values in the prefix, such as a tenant, are taken from the request.
    private static string Path(this LinkGenerator links, HttpContext http, string name, RouteValueDictionary values) =>
        links.GetPathByAddress(http, name, values, ambientValues: http.Request.RouteValues, options: NoSlash)
        ?? throw new InvalidOperationException($"The endpoint {name} has no address in the request to {http.Request.Path}.");
}
