using Microsoft.AspNetCore.Mvc;

namespace Platform.Api.Files;

/// <summary>The routes of uploads.</summary>
internal static class FileEndpoints
{
    public static IServiceCollection AddFiles(this IServiceCollection services)
    {
        services.AddOptions<FileOptions>().BindConfiguration("Files").ValidateDataAnnotations().ValidateOnStart();
        return services;
    }

    public static void MapFiles(this IEndpointRouteBuilder app)
    {
        var files = app.MapGroup("/files").WithTags("Files");

        // Files:MaxLength is the limit here; the server's own is made for bodies that are held in memory.
        files
            .MapPost("/", UploadFile.HandleAsync)
            .WithName("UploadFile")
            .WithMetadata(new DisableRequestSizeLimitAttribute())
            .Accepts<Stream>("*/*")
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        files.MapGet("/{id:guid}", GetFile.HandleAsync).WithName("GetFile").ProducesProblem(StatusCodes.Status404NotFound);
    }
}
