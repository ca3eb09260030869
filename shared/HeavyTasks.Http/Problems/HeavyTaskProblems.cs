namespace Platform.HeavyTasks.Http;

/// <summary>Makes every error of the application a problem document (RFC 9457). An unexpected error reveals nothing internal.</summary>
public static class HeavyTaskProblems
{
    /// <summary>
    /// Turns exceptions into answers that clients can act on, in every endpoint of the application: 503 with <c>Retry-After</c> when the
    /// database has no connection or no answer in time, and the right status, such as 413, when the server rejects a request. An
    /// application that calls <c>UseExceptionHandler</c> itself needs only this method.
    /// </summary>
    public static IServiceCollection AddHeavyTaskProblems(this IServiceCollection services)
    {
        services.AddProblemDetails();

        // After the framework's: it writes what the others cannot.
        services.AddSingleton<IProblemDetailsWriter, AnyProblemWriter>();
        services.AddExceptionHandler<BadRequestHandler>();
        services.AddExceptionHandler<DatabaseUnavailableHandler>();
        return services;
    }

    /// <summary>
    /// Answers exceptions, and statuses without a body, with problem documents. Needs <see cref="AddHeavyTaskProblems"/>.
    /// </summary>
    public static IApplicationBuilder UseHeavyTaskProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        return app;
    }
}
