// Times a Stan model's gradient from C++, by the function that Stan's sampler calls. Compiled once and linked into each
// model's extension module, beside httpstan's own object.
#include <chrono>
#include <fstream>
#include <memory>

#include <stan/io/json/json_data.hpp>
#include <stan/model/gradient.hpp>
#include <stan/model/model_base.hpp>

stan::model::model_base &new_model(stan::io::var_context &data, unsigned int seed, std::ostream *messages);

// The nanoseconds of `calls` gradients at `position`; the last one's log density and gradient are left in `value` and
// `gradient`. Negative where Stan throws.
extern "C" double time_gradient(const char *data_file, const double *position, std::size_t size, long calls,
                                double *value, double *gradient) {
  static std::unique_ptr<stan::model::model_base> model;
  try {
    if (!model) {
      std::ifstream file(data_file);
      stan::json::json_data data(file);
      model.reset(&new_model(data, 1, nullptr));
    }
    Eigen::VectorXd point = Eigen::Map<const Eigen::VectorXd>(position, size), result(size);
    auto start = std::chrono::steady_clock::now();
    for (long i = 0; i < calls; i++)
      stan::model::gradient(*model, point, *value, result);
    std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    Eigen::Map<Eigen::VectorXd>(gradient, size) = result;
    return elapsed.count();
  } catch (const std::exception &error) {
    return -1;
  }
}
