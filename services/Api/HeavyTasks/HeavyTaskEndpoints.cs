using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Platform.HeavyTasks;

namespace Platform.Api.HeavyTasks;

/// <summary>The routes of heavy tasks.</summary>
internal static class HeavyTaskEndpoints
{
    public static IServiceCollection AddHeavyTaskSubmission(this IServiceCollection services)
    {
        services.AddOptions<SubmitHeavyTaskOptions>().BindConfiguration("HeavyTasks").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<GroupCommit>();
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            options.SerializerOptions.Converters.Add(new JsonStringEnumConverter<HeavyTaskStatus>());
            options.SerializerOptions.Converters.Add(new JsonStringEnumConverter<AttemptOutcome>());
        });
        return services;
    }

    public static void MapHeavyTasks(this IEndpointRouteBuilder app)
    {
        var tasks = app.MapGroup("/heavy-tasks").WithTags("Heavy tasks");

        tasks
            .MapPost("/", SubmitHeavyTask.HandleAsync)
            .WithName("SubmitHeavyTask")
            .WithMetadata(new RequestSizeLimitAttribute(HeavyTask.MaxParametersLength))
            .Accepts<SubmitHeavyTaskRequest>("application/json")
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

        tasks
            .MapGet("/", ListHeavyTasks.HandleAsync)
            .WithName("ListHeavyTasks")
            .AddOpenApiOperationTransformer(ListHeavyTasks.DescribeAsync);
        tasks.MapGet("/kinds", ListHeavyTaskKinds.Handle).WithName("ListHeavyTaskKinds");

        tasks.MapGet("/{id:guid}", GetHeavyTask.HandleAsync).WithName("GetHeavyTask").ProducesProblem(StatusCodes.Status404NotFound);

        tasks
            .MapPost("/{id:guid}/cancel", CancelHeavyTask.HandleAsync)
            .WithName("CancelHeavyTask")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);

        tasks
            .MapPost("/{id:guid}/retry", RetryHeavyTask.HandleAsync)
            .WithName("RetryHeavyTask")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);

        tasks
            .MapGet("/{id:guid}/result", DownloadResult.HandleAsync)
            .WithName("DownloadResult")
            .Produces<Stream>(StatusCodes.Status200OK, "application/octet-stream")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }
}
