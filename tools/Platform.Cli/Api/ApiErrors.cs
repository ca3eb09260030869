using System.Net;
using Platform.Cli.Access;

namespace Platform.Cli.Api;

/// <summary>Turns everything that can go wrong between here and the API into the two exceptions that commands handle.</summary>
/// <param name="address">The API's address, without user info, for messages.</param>
internal sealed class ApiErrors(string address)
{
    /// <summary>Runs one network step.</summary>
    /// <exception cref="ApiUnavailableException">The step failed or timed out.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<T> GuardAsync<T>(Func<Task<T>> step, InactivityTimeout timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await step();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (timeout.HasExpired && e is OperationCanceledException or HttpRequestException or IOException)
        {
            throw new ApiUnavailableException($"The API at {address} gave no answer for {timeout.Limit.TotalSeconds:0.#} s.", e);
        }
        catch (OperationCanceledException e)
        {
            throw new ApiUnavailableException($"The API at {address} cannot be reached: no connection in time.", e)
            {
                IsUnreachable = true,
            };
        }
        catch (HttpRequestException e)
            when (e.HttpRequestError
                    is HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.ProxyTunnelError
            )
        {
            throw new ApiUnavailableException($"The API at {address} cannot be reached: {Reason(e)}.", e) { IsUnreachable = true };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new ApiUnavailableException($"The connection to the API at {address} broke off: {Reason(e)}.", e);
        }
    }

    /// <summary>Makes the exception for an answer that is not 2xx.</summary>
    public Exception FromAnswer(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var status = (int)response.StatusCode;
        if (status is >= 400 and < 500 && !IsTheApis(response))
        {
            return NotTheApi(
                $"it answers {status} to {response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath}"
            );
        }

        var problem = ProblemDetails.Read(status, response.ReasonPhrase, body);
        return status switch
        {
            >= 400 and < 500 => new ApiRefusedException(problem),
            >= 300 and < 400 => new ApiUnavailableException(
                $"{address} is not the API: it redirects to {response.Headers.Location?.ToString() ?? "another address"}."
            ),
            _ => new ApiUnavailableException($"The API at {address} failed ({status}{(problem.Title is { } title ? $" {title}" : "")}).")
            {
                Problem = problem,
            },
        };
    }

    /// <summary>Makes the exception for a 2xx answer that makes no sense.</summary>
    public ApiUnavailableException NotTheApi(string what, Exception? inner = null) =>
        new($"{address} does not answer like the API: {what}.", inner);

    /// <summary>
    /// Whether a refusal comes from the API. It writes problem documents; its server refuses without a body what it could not read as a
    /// request. Another server has no such addresses, whatever the form in which it says so; the API always has those that name nothing.
    /// </summary>
    private static bool IsTheApis(HttpResponseMessage response)
    {
        return response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed && !NamesSomething(response)
            ? false
            : response.Content.Headers.ContentType?.MediaType switch
            {
                "application/problem+json" => true,
                null => (int)response.StatusCode is 400 or 408 or 411 or 413 or 414 or 431,
                _ => false,
            };
    }

    /// <summary>Whether an address names a task, a key, a worker or a kind, of which the API can say that there is none.</summary>
    private static bool NamesSomething(HttpResponseMessage response)
    {
        string[] parts = [.. (response.RequestMessage?.RequestUri?.Segments ?? []).Select(segment => segment.TrimEnd('/'))];
        return parts.Any(IsId) || parts is [.., "heavy-tasks", "kinds", not "", not ""];
    }

    /// <summary>Whether a part of an address is the id of a task, of a worker or of a key.</summary>
    private static bool IsId(string segment) => Guid.TryParse(segment, out _) || ApiKeyText.IsId(segment);

    /// <summary>Finds the innermost message, which says what happened; the outer ones only say that something did.</summary>
    private static string Reason(Exception e)
    {
        while (e.InnerException is { } inner)
        {
            e = inner;
        }

        return e.Message.TrimEnd('.');
    }
}
