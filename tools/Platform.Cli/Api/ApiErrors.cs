using System.Net;

namespace Platform.Cli.Api;

/// <summary>Turns what can go wrong between here and the API into the two exceptions that commands know.</summary>
/// <param name="address">The API's address, without user info, for messages.</param>
internal sealed class ApiErrors(string address)
{
    /// <summary>Runs one network step.</summary>
    /// <exception cref="ApiUnavailableException">It failed or timed out.</exception>
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
            throw new ApiUnavailableException($"The API at {address} cannot be reached: no connection in time.", e);
        }
        catch (HttpRequestException e)
            when (e.HttpRequestError
                    is HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.ProxyTunnelError
            )
        {
            throw new ApiUnavailableException($"The API at {address} cannot be reached: {Reason(e)}.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new ApiUnavailableException($"The connection to the API at {address} broke off: {Reason(e)}.", e);
        }
    }

    /// <summary>The exception for an answer that is not 2xx.</summary>
    public Exception FromAnswer(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var status = (int)response.StatusCode;
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

    /// <summary>The exception for a 2xx answer that makes no sense.</summary>
    public ApiUnavailableException NotTheApi(string what, Exception? inner = null) =>
        new($"{address} does not answer like the API: {what}.", inner);

    /// <summary>The innermost message says what happened; the outer ones say that something did.</summary>
    private static string Reason(Exception e)
    {
        while (e.InnerException is { } inner)
        {
            e = inner;
        }

        return e.Message.TrimEnd('.');
    }
}
