namespace Platform.HeavyTasks.Http;

/// <summary>
/// Writes the problem documents that no other writer writes: the framework's own leaves a client that accepts neither JSON nor problem
/// documents with text or with nothing. An error is for the person who reads it, whatever the client accepts where all goes well (RFC 9110,
/// 15.5.7).
/// </summary>
internal sealed class AnyProblemWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => Other(context) is not null;

    // The document itself is the framework's, with what the application adds to it.
    public ValueTask WriteAsync(ProblemDetailsContext context) => Other(context)!.WriteAsync(context);

    private static IProblemDetailsWriter? Other(ProblemDetailsContext context) =>
        context.HttpContext.RequestServices.GetServices<IProblemDetailsWriter>().LastOrDefault(writer => writer is not AnyProblemWriter);
}
